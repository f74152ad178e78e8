//! Writes all mutants of a file into it, each behind a switch, so that one build serves them all.
//!
//! Around each piece of mutated text stands a pair of comments with the number of the mutant, by which the complaints of
//! the compiler are traced back to it.

use std::{collections::BTreeMap, ops::Range};

use anyhow::{Context, Result};
use proc_macro2::{LineColumn, Span};
use syn::{
    Block, Expr, ExprBinary, ExprMatch, ExprStruct, ExprUnary, ImplItemFn, ItemFn, ReturnType, Signature,
    TraitItemFn, Type,
    spanned::Spanned,
    visit::{self, Visit},
};

use super::list::{Genre, Mutant, Place};

/// The source with every mutant in it that has a place there. Functions named in `constant` stay `const`.
pub(super) fn weave(source: &str, mutants: &[&Mutant], constant: &dyn Fn(&str) -> bool) -> Result<String> {
    let file = syn::parse_file(source).context("cannot parse")?;
    let mut by_place: BTreeMap<(Genre, Place), Vec<&Mutant>> = BTreeMap::new();
    for &mutant in mutants {
        by_place.entry((mutant.genre, mutant.span.start)).or_default().push(mutant);
    }
    let lines = Lines::of(source);
    let mut weaver = Weaver { lines, by_place, constant, edits: Vec::new() };
    weaver.visit_file(&file);
    Ok(Emitter { source, edits: &weaver.edits }.all())
}

/// The numbers between which pairs of comments each byte of a woven file lies.
pub(super) fn regions(woven: &str) -> Vec<(Range<usize>, u32)> {
    let mut regions = Vec::new();
    let mut open: Vec<(usize, u32)> = Vec::new();
    let mut at = 0;
    while let Some(found) = woven[at..].find("/*m") {
        let start = at + found;
        let Some(length) = woven[start..].find("*/") else { break };
        let end = start + length + 2;
        let inner = &woven[start + 3..end - 2];
        match (inner.strip_prefix('<'), inner.strip_prefix('>')) {
            (Some(number), _) => open.extend(number.parse().ok().map(|number| (start, number))),
            (_, Some(_)) => regions.extend(open.pop().map(|(from, number)| (from..end, number))),
            _ => {}
        }
        at = end;
    }
    regions
}

/// A change of the source. Those that lie in others come behind them.
struct Edit {
    range: Range<usize>,
    kind: Kind,
}

enum Kind {
    /// In front of a position.
    Insert(String),
    /// One of several operators between two operands.
    Binary { left: Range<usize>, op: Range<usize>, right: Range<usize>, others: Vec<(u32, String)> },
    /// Without the operator.
    Unary { operand: Range<usize>, number: u32 },
    /// A guard that is always kept, or never.
    Guard { others: Vec<(u32, String)> },
    /// Another iterator, of another type.
    Iterator { others: Vec<(u32, String)> },
    /// Without a field.
    Struct { fields: Vec<(Range<usize>, u32)> },
    /// Nothing.
    Delete,
}

struct Weaver<'a> {
    lines: Lines<'a>,
    by_place: BTreeMap<(Genre, Place), Vec<&'a Mutant>>,
    constant: &'a dyn Fn(&str) -> bool,
    edits: Vec<Edit>,
}

impl Weaver<'_> {
    fn range(&self, span: Span) -> Range<usize> {
        self.lines.offset(span.start())..self.lines.offset(span.end())
    }

    fn at(&self, genre: Genre, span: Span) -> Vec<(u32, String)> {
        let found = self.by_place.get(&(genre, Place::from(span.start())));
        found.into_iter().flatten().map(|mutant| (mutant.number, mutant.replacement.clone())).collect()
    }

    fn function(&mut self, signature: &Signature, block: &Block) {
        let Some(first) = block.stmts.first() else { return };
        let whole = self.range(block.span());
        let inside = |mutant: &&Mutant| {
            let start = self.lines.place(mutant.span.start);
            whole.contains(&start)
        };
        if let Some(word) = &signature.constness
            && !(self.constant)(&signature.ident.to_string())
            && self.by_place.values().flatten().any(inside)
        {
            let range = self.range(word.span);
            self.edits.push(Edit { range, kind: Kind::Delete });
        }
        let others = self.at(Genre::FnValue, first.span());
        let start = self.lines.offset(first.span().start());
        match &signature.output {
            ReturnType::Type(_, value) if matches!(**value, Type::ImplTrait(_)) && !others.is_empty() => {
                let end = block.stmts.last().map_or(start, |last| self.lines.offset(last.span().end()));
                self.edits.push(Edit { range: start..end, kind: Kind::Iterator { others } });
            }
            _ => {
                for (number, value) in others {
                    let text = marked(number, &format!("if {} {{ return {value}; }}", on(number))) + " ";
                    self.edits.push(Edit { range: start..start, kind: Kind::Insert(text) });
                }
            }
        }
    }
}

impl<'ast> Visit<'ast> for Weaver<'_> {
    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        self.function(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        self.function(&function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast TraitItemFn) {
        if let Some(block) = &function.default {
            self.function(&function.sig, block);
        }
        visit::visit_trait_item_fn(self, function);
    }

    fn visit_expr_binary(&mut self, binary: &'ast ExprBinary) {
        let others = self.at(Genre::BinaryOperator, binary.op.span());
        // `let` in a condition can stand nowhere else.
        if !others.is_empty() && !binds(&binary.left) && !binds(&binary.right) {
            let kind = Kind::Binary {
                left: self.range(binary.left.span()),
                op: self.range(binary.op.span()),
                right: self.range(binary.right.span()),
                others,
            };
            self.edits.push(Edit { range: self.range(binary.span()), kind });
        }
        visit::visit_expr_binary(self, binary);
    }

    fn visit_expr_unary(&mut self, unary: &'ast ExprUnary) {
        for (number, _) in self.at(Genre::UnaryOperator, unary.op.span()) {
            let kind = Kind::Unary { operand: self.range(unary.expr.span()), number };
            self.edits.push(Edit { range: self.range(unary.span()), kind });
        }
        visit::visit_expr_unary(self, unary);
    }

    fn visit_expr_match(&mut self, expression: &'ast ExprMatch) {
        for arm in &expression.arms {
            for (number, _) in self.at(Genre::MatchArm, arm.span()) {
                let end = self.lines.offset(arm.pat.span().end());
                let text = format!(" if {}", marked(number, &format!("!{}", on(number))));
                self.edits.push(Edit { range: end..end, kind: Kind::Insert(text) });
            }
            if let Some((_, guard)) = &arm.guard {
                let others = self.at(Genre::MatchArmGuard, guard.span());
                if !others.is_empty() && !binds(guard) {
                    self.edits.push(Edit { range: self.range(guard.span()), kind: Kind::Guard { others } });
                }
            }
        }
        visit::visit_expr_match(self, expression);
    }

    fn visit_expr_struct(&mut self, expression: &'ast ExprStruct) {
        let mut fields = Vec::new();
        for pair in expression.fields.pairs() {
            let field = pair.value();
            for (number, _) in self.at(Genre::StructField, field.span()) {
                let mut range = self.range(field.span());
                if let Some(comma) = pair.punct() {
                    range.end = self.range(comma.span()).end;
                }
                fields.push((range, number));
            }
        }
        if !fields.is_empty() {
            self.edits.push(Edit { range: self.range(expression.span()), kind: Kind::Struct { fields } });
        }
        visit::visit_expr_struct(self, expression);
    }
}

/// Whether an operand of a condition binds a name.
fn binds(expression: &Expr) -> bool {
    match expression {
        Expr::Let(_) => true,
        Expr::Binary(binary) => binds(&binary.left) || binds(&binary.right),
        Expr::Paren(inner) => binds(&inner.expr),
        _ => false,
    }
}

const EITHER: &str = "::session_mutant_switch::Either";

pub(super) fn on(number: u32) -> String {
    format!("::session_mutant_switch::on({number})")
}

pub(super) fn marked(number: u32, text: &str) -> String {
    format!("/*m<{number}*/{text}/*m>{number}*/")
}

struct Emitter<'a> {
    source: &'a str,
    edits: &'a [Edit],
}

impl Emitter<'_> {
    fn all(&self) -> String {
        self.emit(0..self.source.len(), 0)
    }

    /// The text of a range, changed by the edits from number `next` on that lie in it.
    fn emit(&self, range: Range<usize>, next: usize) -> String {
        let mut text = String::new();
        let mut at = range.start;
        for (number, edit) in self.edits.iter().enumerate().skip(next) {
            let Range { start, end } = edit.range;
            if start < at || end > range.end {
                continue;
            }
            text += &self.source[at..start];
            text += &self.changed(edit, number + 1);
            at = end;
        }
        text + &self.source[at..range.end]
    }

    fn changed(&self, edit: &Edit, next: usize) -> String {
        let original = |range: &Range<usize>| &self.source[range.clone()];
        match &edit.kind {
            Kind::Insert(text) => text.clone(),
            Kind::Delete => String::new(),
            Kind::Binary { left, op, right, others } => {
                let mut text = "(".to_owned();
                for (number, other) in others {
                    let mutated = format!("{} {other} {}", original(left), original(right));
                    text += &marked(*number, &format!("if {} {{ {mutated} }}", on(*number)));
                    text += " else ";
                }
                let (before, after) = (self.emit(left.clone(), next), self.emit(right.clone(), next));
                text + &format!("{{ {before} {} {after} }})", original(op))
            }
            Kind::Unary { operand, number } => {
                let mutated = format!("if {} {{ {} }}", on(*number), original(operand));
                let whole = edit.range.start..operand.start;
                let kept = format!("{}{}", original(&whole), self.emit(operand.clone(), next));
                format!("({} else {{ {kept} }})", marked(*number, &mutated))
            }
            Kind::Guard { others } => {
                let mut text = self.emit(edit.range.clone(), next);
                for (number, value) in others {
                    let switch = marked(*number, &on(*number));
                    text = match value.as_str() {
                        "true" => format!("({switch} || ({text}))"),
                        _ => format!("(!{switch} && ({text}))"),
                    };
                }
                text
            }
            Kind::Iterator { others } => {
                let mut text = self.emit(edit.range.clone(), next);
                for (number, other) in others {
                    let mutated = format!("if {} {{ {EITHER}::Mutant({other}) }}", on(*number));
                    text =
                        format!("{} else {{ {EITHER}::Original({{ {text} }}) }}", marked(*number, &mutated));
                }
                text
            }
            Kind::Struct { fields } => {
                let mut text = "(".to_owned();
                for (field, number) in fields {
                    let (before, after) = (edit.range.start..field.start, field.end..edit.range.end);
                    let without = format!("{}{}", original(&before), original(&after));
                    text += &marked(*number, &format!("if {} {{ {without} }}", on(*number)));
                    text += " else ";
                }
                text + &format!("{{ {} }})", self.emit(edit.range.clone(), next))
            }
        }
    }
}

/// Where each line of a text begins.
struct Lines<'a> {
    source: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn of(source: &'a str) -> Self {
        let ends = source.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let starts = std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect();
        Self { source, starts }
    }

    fn offset(&self, at: LineColumn) -> usize {
        let start = self.starts.get(at.line.saturating_sub(1)).copied().unwrap_or(self.source.len());
        let line = &self.source[start..];
        start + line.char_indices().nth(at.column).map_or(line.len(), |(offset, _)| offset)
    }

    fn place(&self, at: Place) -> usize {
        self.offset(LineColumn { line: at.line, column: at.column.saturating_sub(1) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutants::list::Extent;

    fn mutant(number: u32, genre: Genre, start: (usize, usize), replacement: &str) -> Mutant {
        let place = |(line, column)| Place { line, column };
        Mutant {
            number,
            genre,
            replacement: replacement.to_owned(),
            span: Extent { start: place(start) },
            ..Mutant::default()
        }
    }

    fn woven(source: &str, mutants: &[Mutant]) -> String {
        let all: Vec<&Mutant> = mutants.iter().collect();
        let text = weave(source, &all, &|_| false).unwrap();
        let text = text.replace("::session_mutant_switch::on", "on");
        syn::parse_file(&text).unwrap();
        text
    }

    #[test]
    fn each_genre_has_a_switch() {
        let source = "fn f(a: bool) -> bool {\n    a && !b\n}\n";
        let all = [
            mutant(1, Genre::FnValue, (2, 5), "true"),
            mutant(2, Genre::BinaryOperator, (2, 7), "||"),
            mutant(3, Genre::UnaryOperator, (2, 10), ""),
        ];
        assert_eq!(
            woven(source, &all),
            "fn f(a: bool) -> bool {\n    /*m<1*/if on(1) { return true; }/*m>1*/ (/*m<2*/if on(2) { a || !b }/*m>2*/ else \
             { a && (/*m<3*/if on(3) { b }/*m>3*/ else { !b }) })\n}\n"
        );
    }

    #[test]
    fn arms_and_guards_have_switches() {
        let source = "fn f() { match x {\n1 => 2,\nn if n > 3 => 4,\n_ => 5 } }";
        let all = [
            mutant(1, Genre::MatchArm, (2, 1), ""),
            mutant(2, Genre::MatchArmGuard, (3, 6), "true"),
            mutant(3, Genre::MatchArmGuard, (3, 6), "false"),
            mutant(4, Genre::BinaryOperator, (3, 8), ">="),
        ];
        let text = woven(source, &all);
        assert!(text.contains("1 if /*m<1*/!on(1)/*m>1*/ => 2,"), "{text}");
        assert!(text.contains("n if (!/*m<3*/on(3)/*m>3*/ && ((/*m<2*/on(2)/*m>2*/ || ("), "{text}");
        assert!(text.contains("if on(4) { n >= 3 }"), "{text}");
    }

    #[test]
    fn a_function_that_is_called_at_run_time_need_not_be_const() {
        let source = "const fn f() -> u8 { 1 }\nconst fn g() -> u8 { 1 }\n";
        let all = [mutant(1, Genre::FnValue, (1, 22), "0")];
        assert!(woven(source, &all).starts_with(" fn f() -> u8 { /*m<1*/if"));
        assert!(woven(source, &all).ends_with("const fn g() -> u8 { 1 }\n"));
    }

    #[test]
    fn an_iterator_of_another_type_has_a_type_for_both() {
        let source = "fn f() -> impl Iterator<Item = u8> { [1].into_iter() }";
        let text = woven(source, &[mutant(1, Genre::FnValue, (1, 38), "::std::iter::empty()")]);
        assert!(text.contains("::Either::Mutant(::std::iter::empty()) }/*m>1*/ else {"), "{text}");
        assert!(text.contains("::Either::Original({ [1].into_iter() }) } }"), "{text}");
    }

    #[test]
    fn regions_are_found() {
        let text = "a/*m<7*/b/*m<8*/c/*m>8*/d/*m>7*/e";
        assert_eq!(regions(text), [(9..24, 8), (1..32, 7)]);
    }
}
