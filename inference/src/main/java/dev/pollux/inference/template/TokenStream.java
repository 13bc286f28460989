package dev.pollux.inference.template;

import java.util.List;

/** The tokens of a template, read one after the other. <em>Not thread-safe: one thread at a time.</em> */
final class TokenStream {

    /** Deeper than people nest, and shallow enough for a small stack: each level takes a dozen calls. */
    private static final int MAX_NESTING = 100;

    private final List<Token> tokens;
    private int at;
    private int nesting;

    TokenStream(List<Token> tokens) {
        this.tokens = tokens;
    }

    Token current() {
        return tokens.get(at);
    }

    Token lookahead() {
        return tokens.get(Math.min(at + 1, tokens.size() - 1));
    }

    /** The current token; the next one becomes current, except at the end. */
    Token next() {
        Token token = current();
        at = Math.min(at + 1, tokens.size() - 1);
        return token;
    }

    boolean is(Token.Kind kind) {
        return current().kind() == kind;
    }

    boolean isOperator(String operator) {
        return current().isOperator(operator);
    }

    boolean skipOperator(String operator) {
        boolean found = isOperator(operator);
        if (found) {
            next();
        }
        return found;
    }

    boolean skipName(String name) {
        boolean found = current().isName(name);
        if (found) {
            next();
        }
        return found;
    }

    Token expect(Token.Kind kind, String what) {
        if (!is(kind)) {
            throw unexpected(what);
        }
        return next();
    }

    void expectOperator(String operator) {
        if (!skipOperator(operator)) {
            throw unexpected("'" + operator + "'");
        }
    }

    void expectName(String name) {
        if (!skipName(name)) {
            throw unexpected("'" + name + "'");
        }
    }

    TemplateException unexpected(String expected) {
        return error("expected " + expected + ", got " + current().describe());
    }

    /** An error at the current token. */
    TemplateException error(String what) {
        return TemplateException.syntax(current().at(), what);
    }

    void enter() {
        if (++nesting > MAX_NESTING) {
            throw error("expressions and blocks are nested deeper than " + MAX_NESTING);
        }
    }

    void leave() {
        nesting--;
    }
}
