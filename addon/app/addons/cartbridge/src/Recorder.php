<?php

namespace Cartbridge;

defined('BOOTSTRAP') or die('Access denied');

/**
 * Turns what happens in the store into events. Nothing that goes wrong here may reach the shopper or the clerk: it is written
 * into PHP's error log and shown in the administration.
 */
final class Recorder
{
    /** @var self|null */
    private static $instance;

    /** @var array<int, array{email: string, customer: bool}> whom this request is about to delete */
    private $about_to_be_deleted = [];

    /** @var array<int, array<int, array{0: string, 1: string}>> changes of orders' status, from and to, that were announced and not yet told of as done */
    private $announced = [];

    /** @var array<string, true> call requests already told in this request, since two hooks tell of one */
    private $calls_told = [];

    public static function get(): self
    {
        if (self::$instance === null) {
            self::$instance = new self();
        }

        return self::$instance;
    }

    /** A process that lives longer than one request begins the next one. */
    public static function nextRequest(): void
    {
        self::$instance = null;
        Outbox::nextRequest();
    }

    /** @param array<string, mixed> $user_data */
    public function customerSaved(string $action, array $user_data): void
    {
        $this->safely(function () use ($action, $user_data): void {
            $this->customer($action === 'add' ? 'customer.created' : 'customer.updated', (int) ($user_data['user_id'] ?? 0));
        }, Customers::lane((int) ($user_data['user_id'] ?? 0), ''));
    }

    public function addressSaved(int $user_id, string $action): void
    {
        // With a new customer his first address is saved on the way; `customer.created` tells of both.
        if ($action !== 'add') {
            $this->customerChanged($user_id);
        }
    }

    public function customerChanged(int $user_id): void
    {
        $this->safely(function () use ($user_id): void {
            $this->customer('customer.updated', $user_id);
        }, Customers::lane($user_id, ''));
    }

    public function customerAboutToBeDeleted(int $user_id): void
    {
        $this->safely(function () use ($user_id): void {
            $row = db_get_row('SELECT email, user_type FROM ?:users WHERE user_id = ?i', $user_id);
            if (!empty($row)) {
                $this->about_to_be_deleted[$user_id] = ['email' => (string) $row['email'], 'customer' => $row['user_type'] === 'C'];
            }
        });
    }

    public function customerDeleted(int $user_id, bool $deleted): void
    {
        $known = $this->about_to_be_deleted[$user_id] ?? ['email' => '', 'customer' => true];
        unset($this->about_to_be_deleted[$user_id]);
        if (!$deleted || !$known['customer']) {
            return;
        }
        $this->safely(function () use ($user_id, $known): void {
            $this->deletion($user_id, $known['email']);
            Customers::forget($user_id);
        }, Customers::lane($user_id, ''), Json::encode($known['email']));
    }

    private function deletion(int $user_id, string $email): void
    {
        $lane = Customers::lane($user_id, '');
        if (!Outbox::put('customer.deleted', $lane, $lane, ['user' => ['user_id' => $user_id, 'email' => $email]])) {
            Marks::put('owed', $lane, Json::encode($email));
        }
        Changes::add($user_id, true);
    }

    private function customer(string $type, int $user_id): void
    {
        $data = Customers::data($user_id);
        if ($data === null) {
            return;
        }
        $lane = Customers::lane($user_id, '');
        if (!Outbox::put($type, $lane, $lane, $data)) {
            Marks::put('owed', $lane, Json::encode((string) ($data['user']['email'] ?? '')));
        }
        Changes::add($user_id, false);
    }

    public function orderSaved(int $order_id, bool $existed): void
    {
        // A new order is told of when its status leaves `N`: before that its payment may still fail.
        if (!$existed) {
            return;
        }
        $this->safely(function () use ($order_id): void {
            $info = Orders::read($order_id);
            if ($info !== null && $info['status'] !== Orders::INCOMPLETE) {
                $this->order('order.updated', $info, null);
            }
        }, 'order:' . $order_id);
    }

    /**
     * The cores before `change_order_status_post` announce a change and never say that it is done. What is still only announced
     * when the request ends is looked up in the table then.
     */
    public function orderStatusAboutToChange(int $order_id, string $to, string $from): void
    {
        if ($this->announced === []) {
            register_shutdown_function([$this, 'tellAnnounced']);
        }
        $this->announced[$order_id][] = [$from, $to];
    }

    public function tellAnnounced(): void
    {
        $announced = $this->announced;
        $this->announced = [];
        foreach ($announced as $order_id => $changes) {
            $this->safely(function () use ($order_id, $changes): void {
                $now = (string) db_get_field('SELECT status FROM ?:orders WHERE order_id = ?i', $order_id);
                foreach ($changes as $place => list($from, $to)) {
                    // Another add-on may have forbidden a change after it was announced.
                    if (($changes[$place + 1][0] ?? $now) === $to) {
                        $this->orderStatusChanged($order_id, $to, $from);
                    }
                }
            });
        }
    }

    public function orderStatusChanged(int $order_id, string $to, string $from): void
    {
        unset($this->announced[$order_id]);
        if ($to === Orders::INCOMPLETE || $to === $from) {
            return;
        }
        $first = $from === Orders::INCOMPLETE || $from === '';
        $this->safely(function () use ($order_id, $to, $from, $first): void {
            $info = Orders::read($order_id);
            if ($info === null) {
                return;
            }
            // The core tells the hook the new status at a moment when not every version has it in the row yet.
            $info['status'] = $to;
            if ($first && Marks::value('order', (string) $order_id) === null) {
                $this->newOrder($info);
            } else {
                $this->order('order.status_changed', $info, $from);
            }
        }, 'order:' . $order_id, $first ? 'created' : '');
    }

    /**
     * The mark comes last: of a request that is killed before it, the event is written and found again, and counts once.
     *
     * @param array<string, mixed> $info
     */
    private function newOrder(array $info): void
    {
        $this->guestOf($info);
        $this->order('order.created', $info, null);
        Marks::put('order', (string) (int) $info['order_id'], '');
    }

    /** @param array<string, mixed> $info */
    private function order(string $type, array $info, ?string $previous_status): void
    {
        $lane = Customers::lane((int) ($info['user_id'] ?? 0), (string) ($info['email'] ?? ''));
        if (!Outbox::put($type, $lane, 'order:' . (int) $info['order_id'], Orders::data($info, $previous_status), $type === 'order.created')) {
            self::owe('order:' . (int) $info['order_id'], $type === 'order.created' ? 'created' : '');
        }
    }

    /** What is to be told later, as it is then. An order that nobody was told of stays a new one, whatever else becomes of it. */
    private static function owe(string $object_id, string $value): void
    {
        if ($value !== '' || Marks::value('owed', $object_id) === null) {
            Marks::put('owed', $object_id, $value);
        }
    }

    /**
     * Who orders without an account becomes a customer with his first order.
     *
     * @param array<string, mixed> $info
     */
    private function guestOf(array $info): void
    {
        if ((int) ($info['user_id'] ?? 0) > 0) {
            return;
        }
        $data = Customers::guest($info);
        if ($data === null) {
            return;
        }
        $lane = Customers::lane(0, (string) $data['user']['email']);
        $type = Marks::once('guest', sha1($lane)) ? 'customer.created' : 'customer.updated';
        Outbox::put($type, $lane, $lane, $data);
    }

    /**
     * @param array<array-key, mixed> $list_ids
     * @param array<string, mixed>    $subscriber
     */
    public function newsletterChanged(int $subscriber_id, array $list_ids, array $subscriber): void
    {
        $this->safely(function () use ($subscriber_id, $list_ids, $subscriber): void {
            $email = (string) ($subscriber['email'] ?? '');
            if ($email === '') {
                $email = (string) db_get_field('SELECT email FROM ?:subscribers WHERE subscriber_id = ?i', $subscriber_id);
            }
            if ($email === '') {
                return;
            }
            $user_id = Customers::idByEmail($email);
            $list_ids = array_values(array_filter(array_map('intval', $list_ids)));
            $type = $list_ids === [] ? 'newsletter.unsubscribed' : 'newsletter.subscribed';
            Outbox::put($type, Customers::lane($user_id, $email), 'subscriber:' . $subscriber_id, ['newsletter' => [
                'subscriber_id' => $subscriber_id, 'user_id' => $user_id, 'email' => $email, 'list_ids' => $list_ids,
            ]]);
        });
    }

    /** @param array<string, mixed> $post */
    public function discussionPosted(array $post): void
    {
        $this->safely(function () use ($post): void {
            $thread = db_get_row('SELECT object_id, object_type FROM ?:discussion WHERE thread_id = ?i', (int) ($post['thread_id'] ?? 0));
            // Of the five things that can be discussed, a note to an order (`O`) is no review.
            if (empty($thread) || !in_array($thread['object_type'], ['P', 'C', 'A', 'E', 'M'], true)) {
                return;
            }
            $this->review([
                'review_id' => (int) ($post['post_id'] ?? 0),
                'user_id' => (int) ($post['user_id'] ?? 0),
                'object_type' => (string) $thread['object_type'],
                'product_id' => $thread['object_type'] === 'P' ? (int) $thread['object_id'] : 0,
                'rating_value' => $post['rating_value'] ?? '',
                'message' => (string) ($post['message'] ?? ''),
                'name' => (string) ($post['name'] ?? ''),
                'timestamp' => (int) ($post['timestamp'] ?? 0) ?: time(),
                'source' => 'discussion',
            ]);
        });
    }

    /** @param array<string, mixed> $review */
    public function productReviewed(array $review, int $review_id): void
    {
        $this->safely(function () use ($review, $review_id): void {
            $parts = array_filter([$review['advantages'] ?? '', $review['disadvantages'] ?? '', $review['comment'] ?? ''], static function ($part): bool {
                return is_string($part) && trim($part) !== '';
            });
            $this->review([
                'review_id' => $review_id,
                'user_id' => (int) ($review['user_id'] ?? 0),
                'object_type' => 'P',
                'product_id' => (int) ($review['product_id'] ?? 0),
                'rating_value' => $review['rating_value'] ?? '',
                'message' => implode("\n\n", $parts),
                'name' => (string) ($review['name'] ?? ''),
                'timestamp' => (int) ($review['product_review_timestamp'] ?? 0) ?: time(),
                'source' => 'product_reviews',
            ]);
        });
    }

    /** @param array<string, mixed> $review */
    private function review(array $review): void
    {
        $user_id = (int) $review['user_id'];
        $object = $review['source'] . ':' . $review['review_id'];
        // Those of people who are not known have nothing to do with each other.
        Outbox::put('review.created', $user_id > 0 ? Customers::lane($user_id, '') : $object, $object, ['review' => $review]);
    }

    /** @param array<string, mixed> $request */
    public function callRequested(array $request, int $request_id): void
    {
        $this->safely(function () use ($request, $request_id): void {
            $phone = (string) ($request['phone'] ?? '');
            $email = (string) ($request['email'] ?? '');
            $key = $phone . '|' . $email . '|' . (int) ($request['product_id'] ?? 0);
            if (isset($this->calls_told[$key])) {
                return;
            }
            $this->calls_told[$key] = true;
            $user_id = (int) ($request['user_id'] ?? 0);
            $object = 'call:' . $request_id . ':' . sha1($key);
            $lane = $user_id > 0 || $email !== '' ? Customers::lane($user_id, $email) : $object;
            Outbox::put('call_request.created', $lane, $object, ['call_request' => [
                'request_id' => $request_id,
                'user_id' => $user_id,
                'name' => (string) ($request['name'] ?? ''),
                'phone' => $phone,
                'email' => $email,
                'product_id' => (int) ($request['product_id'] ?? 0),
                'order_id' => (int) ($request['order_id'] ?? 0),
                'time_from' => (string) ($request['time_from'] ?? ''),
                'time_to' => (string) ($request['time_to'] ?? ''),
                'notes' => (string) ($request['notes'] ?? ''),
                'timestamp' => (int) ($request['timestamp'] ?? 0) ?: time(),
            ]]);
        });
    }

    public function vendorSaved(int $company_id, string $action): void
    {
        $this->safely(function () use ($company_id, $action): void {
            // In CS-Cart (Ultimate) a company is a storefront and no vendor.
            if ($company_id <= 0 || !fn_allowed_for('MULTIVENDOR')) {
                return;
            }
            $columns = ['company_id', 'company', 'status', 'email', 'phone', 'url', 'address', 'city', 'state', 'country', 'zipcode', 'timestamp', 'lang_code'];
            $row = db_get_row('SELECT * FROM ?:companies WHERE company_id = ?i', $company_id);
            $vendor = array_intersect_key($row, array_flip($columns));
            if ($vendor === []) {
                return;
            }
            $lane = 'vendor:' . $company_id;
            Outbox::put($action === 'add' ? 'vendor.created' : 'vendor.updated', $lane, $lane, ['vendor' => $vendor]);
        });
    }

    /**
     * The cores before 4.13.2 have no hook for usergroups. They write a link anew with each change (`REPLACE`), so that the newest
     * links are the newest changes: whose they are is told of by cron.
     */
    private function sweepUsergroups(): void
    {
        $this->safely(function (): void {
            $seen = State::get('last_usergroup_link');
            $newest = (int) db_get_field('SELECT MAX(link_id) FROM ?:usergroup_links');
            // The first time there is nothing to compare with: a resync tells of what was there before.
            if ($seen !== '' && $newest > (int) $seen) {
                foreach (db_get_fields('SELECT DISTINCT user_id FROM ?:usergroup_links WHERE link_id > ?i AND link_id <= ?i', (int) $seen, $newest) as $user_id) {
                    $this->customer('customer.updated', (int) $user_id);
                }
            }
            if ($seen === '' || $newest > (int) $seen) {
                State::set('last_usergroup_link', (string) $newest);
            }
        });
    }

    /** What was turned away while the outbox was full, or could not be written, is told now, as it is today. */
    public function payOwed(): void
    {
        foreach (Marks::oldest('owed', 500) as $mark) {
            if (Outbox::isFull()) {
                return;
            }
            $this->safely(function () use ($mark): void {
                try {
                    Transaction::run(function () use ($mark): void {
                        // First off the list: a put that finds the outbox full again puts it back.
                        Marks::drop('owed', $mark['object_id']);
                        $this->pay($mark['object_id'], $mark['value']);
                    });
                } catch (\Throwable $error) {
                    // What fails is owed still, behind the others.
                    Marks::put('owed', $mark['object_id'], $mark['value']);
                    throw $error;
                }
            });
        }
    }

    private function pay(string $object_id, string $value): void
    {
        list($kind, $id) = explode(':', $object_id, 2) + ['', ''];
        if ($kind === 'order') {
            $info = Orders::read((int) $id);
            if ($info === null || $info['status'] === Orders::INCOMPLETE) {
                return;
            }
            if ($value === 'created') {
                $this->newOrder($info);
            } else {
                $this->order('order.updated', $info, null);
            }
        } elseif (Customers::exists((int) $id)) {
            $this->customer('customer.updated', (int) $id);
        } elseif ((int) $id > 0) {
            $this->deletion((int) $id, Json::text($value));
        }
    }

    /** What cron looks for in the store's tables; what goes wrong with it keeps nothing else from being sent. */
    public function sweep(): void
    {
        $this->safely([Sweep::class, 'run']);
        $this->safely([Carts::class, 'tell']);
        if (version_compare(Store::version(), '4.13.2', '<')) {
            $this->sweepUsergroups();
        }
    }

    /** A new customer of whom no hook has told. */
    public function customerFound(int $user_id): void
    {
        $this->safely(function () use ($user_id): void {
            $this->customer('customer.created', $user_id);
        }, Customers::lane($user_id, ''));
    }

    /** A placed order of which no hook has told. */
    public function orderFound(int $order_id): void
    {
        $this->safely(function () use ($order_id): void {
            $info = Orders::read($order_id);
            if ($info !== null) {
                $this->newOrder($info);
            }
        }, 'order:' . $order_id, 'created');
    }

    /** @param string $owed what is told later where this fails: `customer:` or `order:` and the id; empty: nothing can be made up for */
    private function safely(callable $record, string $owed = '', string $value = ''): void
    {
        try {
            $record();
            AfterResponse::arrange();
        } catch (\Throwable $error) {
            error_log('cartbridge: an event was not recorded: ' . Json::excerpt($error->getMessage()) . ' in ' . basename($error->getFile()) . ':' . $error->getLine());
            try {
                if ($owed !== '') {
                    self::owe($owed, $value);
                }
                State::set('last_record_error', gmdate('Y-m-d H:i:s') . ' UTC: ' . Json::excerpt($error->getMessage()));
            } catch (\Throwable $unwritable) {
                error_log('cartbridge: nor could that be noted: ' . Json::excerpt($unwritable->getMessage()));
            }
        }
    }
}
