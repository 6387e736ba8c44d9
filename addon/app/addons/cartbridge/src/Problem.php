<?php

namespace Cartbridge;

defined('BOOTSTRAP') or die('Access denied');

/** Something that a person or the bridge has to mend. The message says what; `status` is the HTTP status that goes with it. */
final class Problem extends \RuntimeException
{
    /** @var int */
    private $status;

    public function __construct(string $message, int $status = 400)
    {
        parent::__construct($message);
        $this->status = $status;
    }

    public function status(): int
    {
        return $this->status;
    }
}
