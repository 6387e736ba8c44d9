//! What the commands print. Whoever reads it may stop at any time (`| head`): then the command ends without a word, as other
//! programs do, where the standard library's macros would panic. So these stand in their place in every command.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write as _};

/// How a shell tells of a program that has written to a pipe which nobody reads any more: 128 + SIGPIPE.
const NOBODY_READS: i32 = 141;

/// As the standard library's; styles are left out where nobody sees them.
macro_rules! print {
    ($($text:tt)*) => { $crate::cli::out::out(format_args!($($text)*), "") };
}

/// As the standard library's; styles are left out where nobody sees them.
macro_rules! println {
    () => { $crate::cli::out::out(format_args!(""), "\n") };
    ($($text:tt)*) => { $crate::cli::out::out(format_args!($($text)*), "\n") };
}

/// As the standard library's; what cannot be said is not said.
macro_rules! eprint {
    ($($text:tt)*) => { $crate::cli::out::err(format_args!($($text)*), "") };
}

/// As the standard library's; what cannot be said is not said.
macro_rules! eprintln {
    ($($text:tt)*) => { $crate::cli::out::err(format_args!($($text)*), "\n") };
}

/// Prints; ends the program where that cannot be done.
pub(super) fn out(text: Arguments<'_>, end: &str) {
    let mut stdout = anstream::stdout().lock();
    let Err(error) = write!(stdout, "{text}{end}") else { return };
    if error.kind() == ErrorKind::BrokenPipe {
        std::process::exit(NOBODY_READS);
    }
    err(format_args!("cartbridge: what was asked for cannot be written: {error}"), "\n");
    std::process::exit(1);
}

/// Tells a person.
pub(super) fn err(text: Arguments<'_>, end: &str) {
    drop(write!(anstream::stderr().lock(), "{text}{end}"));
}
