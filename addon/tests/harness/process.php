<?php

/** A process of its own, to be killed: a request of the store or a sender. What it does is its first argument. */

require __DIR__ . '/boot.php';

use Cartbridge\Answer;
use Cartbridge\Sender;
use Cartbridge\Transport;

/** Dies as a process dies whose machine loses power: nothing more is run. */
function die_now(): void
{
    posix_kill(getmypid(), SIGKILL);
}

switch ($argv[1]) {
    case 'register-and-die':
        fn_update_user(0, ['email' => 'killed@example.com', 'user_type' => 'C']);
        die_now();
        // no break: never reached
    case 'register-in-a-transaction-and-die':
        db_query('START TRANSACTION');
        fn_update_user(0, ['email' => 'killed@example.com', 'user_type' => 'C']);
        die_now();
        // no break: never reached
    case 'send-and-die-before-the-post':
        $dying = new class implements Transport {
            public function send(string $method, string $url, array $headers, string $body, int $timeout): Answer
            {
                die_now();

                return Answer::none('never');
            }
        };
        (new Sender($dying))->run(10);
        break;
    case 'send':
        echo json_encode((new Sender())->run(30)), "\n";
        break;
    case 'order-in-an-old-core':
        $auth = ['user_id' => (int) $argv[2]];
        $cart = ['total' => '5.00', 'user_data' => ['email' => 'ada@example.com']];
        list($order_id) = fn_place_order($cart, $auth);
        fn_change_order_status($order_id, 'P');
        $harness_forbidden = 'C';
        fn_change_order_status($order_id, 'C');
        break;
    case 'usergroup-in-an-old-core':
        fn_change_usergroup_status('A', (int) $argv[2], 3);
        break;
    case 'cron':
        Cartbridge\Job::run(5);
        break;
    case 'register-under-fpm':
        /** Of PHP-FPM; here it only shows that the response ends before anything is sent. */
        function fastcgi_finish_request(): bool
        {
            echo 'response ended with ', Cartbridge\Outbox::pending(), " waiting\n";

            return true;
        }
        fn_update_user(0, ['email' => 'ada@example.com', 'user_type' => 'C']);
        echo "page\n";
        exit;
    case 'save-vendor':
        list($data, $id, $lang) = [[], (int) $argv[2], 'en'];
        foreach (['add', 'update'] as $action) {
            fn_set_hook('update_company', $data, $id, $lang, $action);
        }
        break;
    case 'approve-vendor':
        db_query('UPDATE ?:companies SET status = ?s WHERE company_id = ?i', 'A', (int) $argv[2]);
        list($id, $to, $reason, $from, $skip, $notify, $company, $user, $result) = [(int) $argv[2], 'A', '', 'N', false, true, [], [], true];
        fn_set_hook('change_company_status_before_mail', $id, $to, $reason, $from, $skip, $notify, $company, $user, $result);
        break;
    case 'permissions-of-vendors':
        $schema = ['controllers' => []];
        echo json_encode((require ADDON_ROOT . '/schemas/permissions/vendor.post.php')['controllers']['cartbridge']);
        break;
}
