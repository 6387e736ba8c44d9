<?php

/**
 * The imitated store as a web server (`php -S`): `/admin.php` runs the add-on's controllers of the administration, `/index.php`
 * those of the storefront, with the pre- and post-controllers of `profiles`. Templates are rendered by Smarty, as CS-Cart does.
 */

namespace {
    require __DIR__ . '/boot.php';
    require_once 'smarty4/Smarty.class.php';

    const CONTROLLER_STATUS_REDIRECT = 302;
    const CONTROLLER_STATUS_DENIED = 403;

    final class Tygh
    {
        /** @var array<string, mixed> */
        public static $app = [];
    }

    /** Texts as the language file has them, with CS-Cart's replacement of `[name]`. */
    function __($name, $params = [])
    {
        static $texts = null;
        if ($texts === null) {
            preg_match_all('/msgctxt "Languages::([^"]+)"\nmsgid "(.*)"\n/', (string) file_get_contents(dirname(ADDON_ROOT, 3) . '/var/langs/en/addons/cartbridge.po'), $found);
            $texts = array_combine($found[1], array_map('stripcslashes', $found[2]));
        }
        if (strpos($name, 'cartbridge.') === 0 && !isset($texts[$name])) {
            throw new LogicException('no text: ' . $name);
        }

        return strtr($texts[$name] ?? $name, $params);
    }

    function fn_set_notification($type, $title, $message)
    {
        $GLOBALS['notifications'][] = $type . ' ' . $message;
    }

    function fn_url($url = '', $area = 'A')
    {
        return '/admin.php?dispatch=' . strtr($url, '?', '&');
    }

    function fn_check_view_permissions($data, $request_method = '')
    {
        return true;
    }

    function fn_get_user_name($user_id)
    {
        return 'Rosan Deo';
    }

    final class HarnessView
    {
        /** @var Smarty */
        private $smarty;

        public function __construct()
        {
            $templates = dirname(ADDON_ROOT, 3) . '/design/backend/templates';
            $this->smarty = new Smarty();
            $this->smarty->setTemplateDir([$templates, __DIR__ . '/templates'])->setCompileDir(getenv('ADDON_TMP') . '/smarty')->setEscapeHtml(true);
            foreach (['__', 'fn_url'] as $function) {
                $this->smarty->registerPlugin('modifier', $function, $function);
            }
            $this->smarty->assign('settings', ['Appearance' => ['date_format' => '%Y-%m-%d', 'time_format' => '%H:%M']]);
            $this->smarty->assign('config', ['dir' => ['root' => '/var/www/shop']]);
        }

        public function assign($name, $value = null)
        {
            $this->smarty->assign($name, $value);
        }

        public function getTemplateVars($name)
        {
            return $this->smarty->getTemplateVars($name);
        }

        public function display($template)
        {
            $this->smarty->display($template);
        }
    }

    /** @return mixed what the controller gives back */
    function run_controller(string $area, string $file, string $mode)
    {
        $path = ADDON_ROOT . '/controllers/' . $area . '/' . $file . '.php';

        return is_file($path) ? require $path : null;
    }

    // As on a live store: what is wrong is logged and not shown.
    restore_error_handler();
    ini_set('display_errors', '0');
    ini_set('error_log', getenv('ADDON_TMP') . '/web-errors');
    error_reporting(E_ALL & ~E_DEPRECATED);

    Tygh::$app['view'] = new HarnessView();
    // Each request is a process of its own, as with PHP-FPM: the session is what connects them.
    $session_file = getenv('ADDON_TMP') . '/session';
    $session = is_file($session_file) ? unserialize((string) file_get_contents($session_file)) : [];
    Tygh::$app['session'] = new ArrayObject(['auth' => ['user_id' => 1]] + $session);
    register_shutdown_function(static function () use ($session_file): void {
        file_put_contents($session_file, serialize(Tygh::$app['session']->getArrayCopy()));
    });
    $area = strpos($_SERVER['REQUEST_URI'], '/admin.php') === 0 ? 'backend' : 'frontend';
    $dispatch = $_REQUEST['dispatch'] ?? '';
    // A button of a form names what is to be done: dispatch[controller.mode].
    $dispatch = is_array($dispatch) ? (string) key($dispatch) : $dispatch;
    list($controller, $mode, $action) = explode('.', $dispatch) + ['', '', ''];
    Tygh\Registry::set('runtime.action', $action);
    $notifications = [];

    $result = run_controller($area, $controller . '.pre', $mode);
    if ($controller === 'profiles' && $mode === 'update_status') {
        // The core's own: no hook, and the request ends here.
        db_query('UPDATE ?:users SET status = ?s WHERE user_id = ?i', $_REQUEST['status'], $_REQUEST['id']);
        exit;
    }
    if ($controller === 'profiles' && $mode === 'update') {
        Tygh::$app['view']->assign('user_data', fn_get_user_info((int) $_REQUEST['user_id']));
    }
    $result = run_controller($area, $controller, $mode) ?? $result;
    $result = run_controller($area, $controller . '.post', $mode) ?? $result;
    if (is_array($result) && $result[0] === CONTROLLER_STATUS_REDIRECT) {
        header('X-Redirect: ' . $result[1]);
        echo json_encode($notifications);
    } elseif (is_array($result) && $result[0] === CONTROLLER_STATUS_DENIED) {
        http_response_code(403);
    } elseif ($controller === 'profiles') {
        Tygh::$app['view']->display('addons/cartbridge/hooks/profiles/tabs_content.post.tpl');
    } else {
        Tygh::$app['view']->display('addons/' . $controller . '/views/' . $controller . '/' . $mode . '.tpl');
    }
}
