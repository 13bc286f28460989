package dev.pollux.inference.template;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Cuts a template into tokens, with Jinja2's rules of whitespace under {@code trim_blocks} and {@code lstrip_blocks}: the
 * newline after a block or comment is dropped, as are the spaces before one that begins its line; {@code -} drops all
 * whitespace on its side, and {@code +} keeps it. What stands inside tags is cut by {@link TagLexer}.
 * <em>Not thread-safe: one thread at a time.</em>
 */
final class Lexer {

    private final String source;
    private final Lines lines;
    private final List<Token> tokens = new ArrayList<>();
    private int at;

    /** Whether what was read last ended a line. */
    private boolean lineStarting = true;

    private Lexer(String source) {
        this.source = source;
        this.lines = new Lines(source);
    }

    /** @throws TemplateException if a tag does not end, or holds what is no token */
    static List<Token> tokens(String template) {
        String source = template.replace("\r\n", "\n").replace('\r', '\n');
        source = source.endsWith("\n") ? source.substring(0, source.length() - 1) : source;
        Lexer lexer = new Lexer(source);
        while (lexer.at < source.length()) {
            lexer.next();
        }
        lexer.add(Token.Kind.END, "", source.length());
        return lexer.tokens;
    }

    static boolean isIdentifier(String text) {
        return !text.isEmpty()
                && isNameStart(text.codePointAt(0))
                && text.codePoints().allMatch(c -> isNamePart(c));
    }

    static boolean isNameStart(int c) {
        return c == '_' || Character.isUnicodeIdentifierStart(c);
    }

    static boolean isNamePart(int c) {
        return c == '_' || Character.isUnicodeIdentifierPart(c) && !Character.isIdentifierIgnorable(c);
    }

    private void add(Token.Kind kind, String text, int offset) {
        tokens.add(new Token(kind, text, lines.position(offset)));
    }

    /** Text up to the next tag, and that tag. */
    private void next() {
        int open = source.indexOf('{', at);
        while (open >= 0 && (open + 1 == source.length() || "%{#".indexOf(source.charAt(open + 1)) < 0)) {
            open = source.indexOf('{', open + 1);
        }
        if (open < 0) {
            text(source.substring(at));
            at = source.length();
            return;
        }
        char type = source.charAt(open + 1);
        char sign = sign(open + 2);
        text(beforeTag(source.substring(at, open), sign, type != '{'));
        at = open;
        int inside = open + 2 + (sign == 0 ? 0 : 1);
        if (type == '#') {
            comment(inside);
        } else if (type == '%' && rawBegin(inside) >= 0) {
            raw(rawBegin(inside));
        } else {
            tag(type == '%', inside);
        }
    }

    private void text(String text) {
        if (!text.isEmpty()) {
            add(Token.Kind.TEXT, text, at);
        }
    }

    private char sign(int offset) {
        char c = offset < source.length() ? source.charAt(offset) : 0;
        return c == '-' || c == '+' ? c : 0;
    }

    /** What remains of the text before a tag. */
    private String beforeTag(String text, char sign, boolean block) {
        if (sign == '-') {
            return CodePoints.stripEnd(text);
        }
        int line = text.lastIndexOf('\n') + 1;
        boolean strips = sign == 0 && block && (line > 0 || lineStarting);
        return strips && CodePoints.stripEnd(text.substring(line)).isEmpty() ? text.substring(0, line) : text;
    }

    /** Goes past the end of a tag, whose closing brackets begin at {@code close}, and the whitespace it takes along. */
    private void skipEnd(int close, char sign, boolean trims) {
        int end = close + 2;
        if (sign == '-') {
            end = skipSpace(end);
        } else if (sign == 0 && trims && end < source.length() && source.charAt(end) == '\n') {
            end++;
        }
        at = end;
        lineStarting = source.charAt(end - 1) == '\n';
    }

    private int skipSpace(int offset) {
        int end = offset;
        while (end < source.length() && CodePoints.isSpace(source.charAt(end))) {
            end++;
        }
        return end;
    }

    private void comment(int inside) {
        int close = source.indexOf("#}", inside);
        if (close < 0) {
            throw TemplateException.syntax(lines.position(at), "the comment that begins here has no end");
        }
        skipEnd(close, close > inside ? sign(close - 1) : 0, true);
    }

    /** The offset after {@code raw %}} if that stands at {@code inside}, else -1. */
    private int rawBegin(int inside) {
        int word = skipSpace(inside);
        if (!source.startsWith("raw", word)) {
            return -1;
        }
        int end = skipSpace(word + 3);
        if (source.startsWith("-%}", end)) {
            return skipSpace(end + 3);
        }
        return source.startsWith("%}", end) ? end + 2 : -1;
    }

    private void raw(int begin) {
        for (int open = source.indexOf("{%", begin); open >= 0; open = source.indexOf("{%", open + 1)) {
            char sign = sign(open + 2);
            int word = skipSpace(open + 2 + (sign == 0 ? 0 : 1));
            if (!source.startsWith("endraw", word)) {
                continue;
            }
            int close = skipSpace(word + 6);
            char endSign = sign(close);
            close += endSign == 0 ? 0 : 1;
            if (source.startsWith("%}", close)) {
                lineStarting = source.charAt(begin - 1) == '\n';
                at = begin;
                text(beforeTag(source.substring(begin, open), sign, true));
                skipEnd(close, endSign, true);
                return;
            }
        }
        throw TemplateException.syntax(lines.position(at), "the raw block that begins here has no end");
    }

    private void tag(boolean block, int inside) {
        add(block ? Token.Kind.BLOCK_BEGIN : Token.Kind.OUTPUT_BEGIN, "", at);
        TagLexer tag = new TagLexer(source, inside, lines, tokens);
        Deque<Character> open = new ArrayDeque<>();
        while (true) {
            int offset = skipSpace(tag.offset());
            if (offset >= source.length()) {
                throw TemplateException.syntax(lines.position(at), "the tag that begins here has no end");
            }
            char sign = sign(offset);
            int close = offset + (sign == '-' || sign == '+' && block ? 1 : 0);
            if (open.isEmpty() && source.startsWith(block ? "%}" : "}}", close)) {
                add(block ? Token.Kind.BLOCK_END : Token.Kind.OUTPUT_END, "", offset);
                skipEnd(close, close > offset ? sign : 0, block);
                return;
            }
            tag.next(offset, open);
        }
    }
}
