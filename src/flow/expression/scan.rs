//! What a template may be made of, looked at token by token before it is compiled.
//!
//! minijinja's fuel counts steps and the bytes that they make, and that bounds most of what a template can do. What it does
//! not count is left out of the language here; each was seen to hang or to crash the process (minijinja 3.1.0):
//!
//! - `*` repeats a list without making it, and constants are folded without fuel: `{{ [1] * 100000000 }}` never ends;
//! - a value that stands in a list or an object twice doubles with each step (`{% set a = [a, a] %}`), and printing,
//!   comparing or joining it walks through every copy: so nothing that is built can get a name, neither with `set` and
//!   `with` nor as what a loop runs over;
//! - the compiler calls itself for each link of a chain (`a.b.b.b…`, `a|f|f|f…`, `elif` after `elif`): some thousands of
//!   them are more than a thread's stack;
//! - macros, blocks and includes are not compiled in; `namespace` and what makes lazy lists of lists is taken out of the
//!   environment (`environment.rs`).

use minijinja::machinery::{Token, tokenize};
use minijinja::syntax::SyntaxConfig;

/// The longest template, in bytes.
const MAX_SOURCE: usize = 16 * 1024;
/// The longest tag (`{{ … }}` or `{% … %}`), in tokens.
const MAX_TOKENS: usize = 200;
/// So many tags a template may have.
const MAX_TAGS: usize = 300;
/// So many `elif`: each is a level of the compiler's stack.
const MAX_ELIFS: usize = 32;
/// Tags within tags, and brackets within brackets.
const MAX_DEPTH: usize = 16;
/// Loops within loops.
const MAX_LOOPS: usize = 3;

/// Statements that are taken.
const STATEMENTS: [&str; 6] = ["if", "elif", "else", "endif", "for", "endfor"];

/// Words after which a bracket begins a value of its own, rather than a call or an index.
const WORDS: [&str; 8] = ["in", "not", "and", "or", "if", "else", "is", "elif"];

/// Whether a template (or a lone expression) stays within the language; an error says what does not.
pub(super) fn check(source: &str, lone_expression: bool) -> Result<(), String> {
    if source.len() > MAX_SOURCE {
        return Err(format!("the template has {} bytes, and {MAX_SOURCE} are the most", source.len()));
    }
    let mut shape = Shape::default();
    let mut tag: Vec<Token<'_>> = Vec::new();
    for token in tokenize(source, lone_expression, SyntaxConfig::default()) {
        let (token, _) = token.map_err(|error| super::message(&error))?;
        match token {
            Token::TemplateData(_) => {}
            Token::VariableStart | Token::BlockStart => tag.clear(),
            Token::VariableEnd => shape.tag(&std::mem::take(&mut tag))?,
            Token::BlockEnd => {
                let tag = std::mem::take(&mut tag);
                shape.tag(&tag)?;
                shape.statement(&tag)?;
            }
            token => {
                tag.push(token);
                if tag.len() > MAX_TOKENS {
                    return Err(format!("an expression has more than {MAX_TOKENS} parts: make it shorter"));
                }
            }
        }
    }
    // A lone expression, or a tag that does not end.
    shape.tag(&tag)
}

/// What was seen of a template so far.
#[derive(Default)]
struct Shape {
    tags: usize,
    elifs: usize,
    depth: usize,
    loops: usize,
}

impl Shape {
    fn tag(&mut self, tag: &[Token<'_>]) -> Result<(), String> {
        self.tags += 1;
        if self.tags > MAX_TAGS {
            return Err(format!("the template has more than {MAX_TAGS} tags"));
        }
        let mut depth = 0_usize;
        for token in tag {
            match token {
                Token::Mul | Token::Pow => {
                    return Err("`*` and `**` are not taken: multiply with the filter `times`".to_owned());
                }
                Token::BracketOpen | Token::ParenOpen | Token::BraceOpen => depth += 1,
                Token::BracketClose | Token::ParenClose | Token::BraceClose => {
                    depth = depth.saturating_sub(1);
                }
                _ => {}
            }
            if depth > MAX_DEPTH {
                return Err(format!("brackets stand more than {MAX_DEPTH} deep"));
            }
        }
        Ok(())
    }

    fn statement(&mut self, tag: &[Token<'_>]) -> Result<(), String> {
        let Some(Token::Ident(name)) = tag.first() else { return Ok(()) };
        if !STATEMENTS.contains(name) {
            return Err(format!("there is no statement `{name}`: `if` and `for` are all"));
        }
        match *name {
            "if" => self.depth += 1,
            "for" => {
                self.depth += 1;
                self.loops += 1;
                loops_over_data(tag)?;
            }
            "elif" => self.elifs += 1,
            "endif" => self.depth = self.depth.saturating_sub(1),
            "endfor" => {
                self.depth = self.depth.saturating_sub(1);
                self.loops = self.loops.saturating_sub(1);
            }
            _ => {}
        }
        if self.depth > MAX_DEPTH {
            return Err(format!("statements stand more than {MAX_DEPTH} deep"));
        }
        if self.loops > MAX_LOOPS {
            return Err(format!("loops stand more than {MAX_LOOPS} deep"));
        }
        if self.elifs > MAX_ELIFS {
            return Err(format!("the template has more than {MAX_ELIFS} `elif`"));
        }
        Ok(())
    }
}

/// A loop runs over what is there, not over what is put together for it: else it would give that a name.
fn loops_over_data(tag: &[Token<'_>]) -> Result<(), String> {
    if tag.iter().any(|token| matches!(token, Token::Ident("recursive"))) {
        return Err("a loop cannot be `recursive`".to_owned());
    }
    let over =
        tag.iter().position(|token| matches!(token, Token::Ident("in"))).map_or(tag.len(), |at| at + 1);
    let mut calls = 0_usize;
    for at in over..tag.len() {
        let after_value = at > over
            && match &tag[at - 1] {
                Token::Ident(word) => !WORDS.contains(word),
                Token::BracketClose | Token::ParenClose | Token::Str(_) | Token::String(_) => true,
                _ => false,
            };
        let built = match tag[at] {
            Token::ParenOpen if after_value => {
                calls += 1;
                false
            }
            Token::BraceOpen | Token::Plus | Token::ParenOpen => true,
            Token::BracketOpen => !after_value,
            Token::ParenClose => {
                calls = calls.saturating_sub(1);
                false
            }
            Token::Comma => calls == 0,
            _ => false,
        };
        if built {
            return Err("a loop runs over a variable, perhaps with filters, and not over a list made for it"
                .to_owned());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn what_routes_need_is_taken() {
        for source in [
            "{% for tag in data.tags[1:] %}{{ loop.index }}. {{ tag | upper | replace('A', 'B') }}{% endfor %}",
            "{% for key, value in data.user.fields | dictsort %}{{ key }}{% endfor %}",
            "{% for n in range(1, 10) if n is odd %}{{ n }}{% else %}none{% endfor %}",
            "{% if data.a and (data.b or not data.c) %}{{ data.d[0]['x'] }}{% elif data.e in ['a', 'b'] %}b{% else %}c{% endif %}",
            "{{ data.tags + settings.tags }} {{ {'a': 1}.a }} * {# * #} {% raw %}{{ a * b }}{% endraw %} {{ '*' }}",
        ] {
            assert_eq!(check(source, false), Ok(()), "{source}");
        }
        assert_eq!(check("data.user.user_type != 'A' and data.tags | length > 1", true), Ok(()));
    }

    #[test]
    fn what_could_hang_or_crash_is_refused_with_a_reason() {
        for (source, why) in [
            ("{{ [1] * 100000000 }}", "times"),
            ("{{ 9 ** 9 }}", "times"),
            ("{% set a = [a, a] %}", "`set`"),
            ("{% with a = [1] %}{% endwith %}", "`with`"),
            ("{% macro m() %}{% endmacro %}", "`macro`"),
            ("{% include 'x' %}", "`include`"),
            ("{% for a in [[a, a], [a, a]] %}{% endfor %}", "list made for it"),
            ("{% for a in (a, a) %}{% endfor %}", "list made for it"),
            ("{% for a in a, a %}{% endfor %}", "list made for it"),
            ("{% for a in a + a %}{% endfor %}", "list made for it"),
            ("{% for a in {'x': a} %}{% endfor %}", "list made for it"),
            ("{% for a in a if not [a] %}{% endfor %}", "list made for it"),
            ("{% for a in a recursive %}{% endfor %}", "recursive"),
        ] {
            let error = check(source, false).unwrap_err();
            assert!(error.contains(why), "{source}: {error}");
        }
        for source in [
            "x".repeat(17_000),
            format!("{{{{ a{} }}}}", "|d".repeat(1000)),
            format!("{{{{ {}a }}}}", "(".repeat(50)),
            "{{ a }}".repeat(400),
            "{% if a %}".repeat(20),
            "{% for a in a %}".repeat(4),
            format!("{{% if a %}}{}{{% endif %}}", "{% elif a %}".repeat(40)),
        ] {
            assert!(check(&source, false).is_err(), "{}", &source[..40]);
        }
    }
}
