<?php

/**
 * What a compiler of another language would say: each class, method and constant that the add-on names is there, takes as many
 * arguments as it is given, and is used.
 */

/** The tokens of a file that mean something, as pairs of kind (or the character) and text. */
function meaningful(string $path): array
{
    $tokens = [];
    foreach (token_get_all((string) file_get_contents($path)) as $token) {
        $token = is_array($token) ? [$token[0], $token[1]] : [$token, $token];
        if (!in_array($token[0], [T_WHITESPACE, T_COMMENT, T_DOC_COMMENT], true)) {
            $tokens[] = $token;
        }
    }

    return $tokens;
}

/** How many arguments stand in the brackets that open at `$at`; -1: they cannot be counted (`...`). */
function arguments_at(array $tokens, int $at): int
{
    $depth = 0;
    $count = 0;
    $something = false;
    for (; isset($tokens[$at]); $at++) {
        $text = $tokens[$at][1];
        if (in_array($text, ['(', '[', '{'], true)) {
            $depth++;
        } elseif (in_array($text, [')', ']', '}'], true) && --$depth === 0) {
            return $something ? $count + 1 : 0;
        } elseif ($text === ',' && $depth === 1) {
            // A comma at the end gives no argument.
            $count += $tokens[$at + 1][1] === ')' ? 0 : 1;
        } elseif ($tokens[$at][0] === T_ELLIPSIS && $depth === 1) {
            return -1;
        }
        $something = $something || $depth > 1 || ($depth === 1 && $text !== '(');
    }

    return -1;
}

/** @return array<string, string> by short name: the add-on's own classes, and those that the file imports */
function classes_known_to(array $tokens): array
{
    $known = [];
    foreach (glob(ADDON_ROOT . '/src/*.php') ?: [] as $file) {
        $known[basename($file, '.php')] = 'Cartbridge\\' . basename($file, '.php');
    }
    foreach ($tokens as $at => $token) {
        if ($token[0] === T_USE && $tokens[$at - 1][1] === ';') {
            $name = $tokens[$at + 1][1];
            for ($next = $at + 2; $tokens[$next][1] !== ';'; $next++) {
                $name .= $tokens[$next][1];
            }
            $known[substr((string) strrchr('\\' . $name, '\\'), 1)] = $name;
        }
    }

    return $known;
}

test('each class, method and constant that the code names is there, and takes what it is given', static function (): void {
    $wrong = [];
    $looked = 0;
    $files = new RecursiveIteratorIterator(new RecursiveDirectoryIterator(ADDON_ROOT, FilesystemIterator::SKIP_DOTS));
    foreach ($files as $file) {
        if ($file->getExtension() !== 'php') {
            continue;
        }
        $tokens = meaningful($file->getPathname());
        $known = classes_known_to($tokens);
        $self = 'Cartbridge\\' . basename($file->getPathname(), '.php');
        foreach ($tokens as $at => $token) {
            if ($token[0] !== T_DOUBLE_COLON && $token[0] !== T_OBJECT_OPERATOR) {
                continue;
            }
            list($before, $name) = [$tokens[$at - 1], $tokens[$at + 1]];
            $is_own = $before[1] === 'self' || $before[1] === '$this';
            $class = $is_own ? $self : ($token[0] === T_DOUBLE_COLON ? ($known[$before[1]] ?? '') : '');
            if ($class === '' || $name[0] !== T_STRING || strncmp($class, 'Cartbridge', 10) !== 0) {
                continue;
            }
            $looked++;
            $called = ($tokens[$at + 2][1] ?? '') === '(';
            $place = $file->getFilename() . ': ' . $before[1] . $token[1] . $name[1];
            if (!$called) {
                $there = $token[0] === T_DOUBLE_COLON ? defined($class . '::' . $name[1]) || (new ReflectionClass($class))->hasConstant($name[1]) : property_exists($class, $name[1]);
                $there || $wrong[] = $place . ' is not there';
            } elseif (!method_exists($class, $name[1])) {
                $wrong[] = $place . '() is not there';
            } else {
                $method = new ReflectionMethod($class, $name[1]);
                $given = arguments_at($tokens, $at + 2);
                if ($given >= 0 && ($given < $method->getNumberOfRequiredParameters() || ($given > $method->getNumberOfParameters() && !$method->isVariadic()))) {
                    $wrong[] = $place . '() is given ' . $given . ' arguments';
                }
                if (!$is_own && !$method->isPublic()) {
                    $wrong[] = $place . '() is not public';
                }
            }
        }
        foreach ($known as $short => $name) {
            $uses = array_filter($tokens, static function (array $token) use ($short): bool {
                return $token[1] === $short;
            });
            $imported = preg_match('/^use ' . preg_quote($name, '/') . ';$/m', (string) file_get_contents($file->getPathname())) === 1;
            // By PHP 8 the import is one token of its own; before it is several, of which the last counts.
            if ($imported && count($uses) < (PHP_VERSION_ID < 80000 ? 2 : 1)) {
                $wrong[] = $file->getFilename() . ' imports ' . $name . ' and does not use it';
            }
        }
    }
    same([], $wrong);
    holds($looked > 300, $looked . ' names were looked at');
});

test('nothing that the add-on defines is left over', static function (): void {
    $sources = '';
    $files = new RecursiveIteratorIterator(new RecursiveDirectoryIterator(ADDON_ROOT, FilesystemIterator::SKIP_DOTS));
    foreach ($files as $file) {
        $sources .= $file->getExtension() === 'php' ? file_get_contents($file->getPathname()) : '';
    }
    $left = [];
    foreach (glob(ADDON_ROOT . '/src/*.php') ?: [] as $file) {
        $class = new ReflectionClass('Cartbridge\\' . basename($file, '.php'));
        foreach ($class->getMethods() as $method) {
            $own = $method->getDeclaringClass()->getName() === $class->getName() && strncmp($method->getName(), '__', 2) !== 0;
            if ($own && preg_match_all('/\b' . $method->getName() . '\b(?=\s*\(|\')/', $sources) < 2) {
                $left[] = $class->getShortName() . '::' . $method->getName();
            }
        }
        foreach (array_keys($class->getConstants()) as $constant) {
            if (preg_match_all('/\b' . $constant . '\b/', $sources) < 2) {
                $left[] = $class->getShortName() . '::' . $constant;
            }
        }
    }
    same([], $left);
});

test('each PHP file of the add-on refuses to be asked for directly', static function (): void {
    $files = new RecursiveIteratorIterator(new RecursiveDirectoryIterator(ADDON_ROOT, FilesystemIterator::SKIP_DOTS));
    $open = [];
    foreach ($files as $file) {
        if ($file->getExtension() === 'php') {
            $lines = [];
            exec(escapeshellarg(PHP_BINARY) . ' -n -d display_errors=1 ' . escapeshellarg($file->getPathname()) . ' 2>&1', $lines);
            implode("\n", $lines) === 'Access denied' || $open[] = substr($file->getPathname(), strlen(ADDON_ROOT) + 1);
        }
    }
    same([], $open);
});
