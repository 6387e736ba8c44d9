<?php

/**
 * CS-Cart's functions for its database, with the placeholders that its documentation lists, on a real server. Stricter than
 * the original: the server runs in strict mode, and a column that a table lacks is an error instead of being left out.
 */

final class HarnessDatabase
{
    /** @var mysqli|null */
    private static $link;

    /** A process of its own needs a connection of its own. */
    public static function forget(): void
    {
        self::$link = null;
    }

    public static function link(): mysqli
    {
        if (self::$link === null) {
            mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
            self::$link = new mysqli('localhost', 'root', '', (string) getenv('ADDON_DB'), 0, (string) getenv('ADDON_SOCKET'));
            // As the older stores connect: three bytes a character.
            self::$link->set_charset('utf8');
            self::$link->query("SET SESSION sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO'");
        }

        return self::$link;
    }

    public static function quote(string $query, array $params): string
    {
        $query = str_replace('?:', Tygh\Registry::get('config.table_prefix'), $query);
        $done = preg_replace_callback('/\?([isanueplw])/', static function (array $match) use (&$params, $query) {
            if ($params === []) {
                throw new LogicException('too few values for: ' . $query);
            }
            return self::value($match[1], array_shift($params), $query);
        }, $query);
        if ($params !== []) {
            throw new LogicException('too many values for: ' . $query);
        }

        return $done;
    }

    private static function value(string $kind, $value, string $query): string
    {
        switch ($kind) {
            case 'i':
                return (string) (int) $value;
            case 's':
                if (!is_scalar($value)) {
                    throw new LogicException('?s takes a text: ' . $query);
                }
                return self::text($value);
            case 'a':
                return implode(', ', array_map([self::class, 'text'], self::some($value, $query)));
            case 'n':
                return implode(', ', array_map('intval', self::some($value, $query)));
            case 'p':
                return (string) $value;
            case 'u':
                return implode(', ', array_map(static function ($column, $item) {
                    return '`' . $column . '` = ' . self::text($item);
                }, array_keys($value), $value));
            case 'e':
                return '(`' . implode('`, `', array_keys($value)) . '`) VALUES (' . implode(', ', array_map([self::class, 'text'], $value)) . ')';
        }
        throw new LogicException('?' . $kind . ' is not imitated: ' . $query);
    }

    private static function some($value, string $query): array
    {
        if (!is_array($value) || $value === []) {
            throw new LogicException('an empty list makes no SQL: ' . $query);
        }

        return $value;
    }

    private static function text($value): string
    {
        return "'" . self::link()->real_escape_string((string) $value) . "'";
    }

    public static function run(string $query, array $params)
    {
        return self::link()->query(self::quote($query, $params));
    }
}

/** An INSERT or REPLACE gives the new id, an UPDATE or DELETE the number of rows (cscart/docs). */
function db_query($query, ...$params)
{
    $result = HarnessDatabase::run($query, $params);
    if ($result === true) {
        $link = HarnessDatabase::link();
        return preg_match('/^\s*(INSERT|REPLACE)/i', $query) ? ($link->insert_id ?: true) : $link->affected_rows;
    }

    return $result;
}

function db_get_array($query, ...$params)
{
    return HarnessDatabase::run($query, $params)->fetch_all(MYSQLI_ASSOC);
}

function db_get_row($query, ...$params)
{
    return HarnessDatabase::run($query, $params)->fetch_assoc() ?: [];
}

function db_get_field($query, ...$params)
{
    $row = HarnessDatabase::run($query, $params)->fetch_row();

    return $row === null || $row === false ? null : $row[0];
}

function db_get_fields($query, ...$params)
{
    return array_column(HarnessDatabase::run($query, $params)->fetch_all(MYSQLI_NUM), 0);
}
