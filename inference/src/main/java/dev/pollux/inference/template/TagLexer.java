package dev.pollux.inference.template;

import java.util.Deque;
import java.util.List;

/** Cuts what stands inside a tag: names, numbers, strings, operators. <em>Not thread-safe: one thread at a time.</em> */
final class TagLexer {

    private static final List<String> LONG_OPERATORS = List.of("//", "**", "==", "!=", ">=", "<=");
    private static final String OPERATORS = "+-/*%~[](){}><=.:|,;";

    private final String source;
    private final Lines lines;
    private final List<Token> tokens;
    private int at;

    TagLexer(String source, int at, Lines lines, List<Token> tokens) {
        this.source = source;
        this.at = at;
        this.lines = lines;
        this.tokens = tokens;
    }

    /** Where the next token is to be looked for. */
    int offset() {
        return at;
    }

    /**
     * Reads the token at {@code offset}.
     *
     * @param open the brackets that are to be closed, the last opened first
     */
    void next(int offset, Deque<Character> open) {
        at = offset;
        int c = source.codePointAt(at);
        if (c >= '0' && c <= '9') {
            number();
        } else if (Lexer.isNameStart(c)) {
            int end = at;
            while (end < source.length() && Lexer.isNamePart(source.codePointAt(end))) {
                end += Character.charCount(source.codePointAt(end));
            }
            add(Token.Kind.NAME, source.substring(at, end), end);
        } else if (c == '\'' || c == '"') {
            string((char) c);
        } else {
            operator(open);
        }
    }

    private void add(Token.Kind kind, String text, int end) {
        tokens.add(new Token(kind, text, lines.position(at)));
        at = end;
    }

    private TemplateException malformed(String what) {
        return TemplateException.syntax(lines.position(at), what);
    }

    private void operator(Deque<Character> open) {
        for (String operator : LONG_OPERATORS) {
            if (source.startsWith(operator, at)) {
                add(Token.Kind.OPERATOR, operator, at + 2);
                return;
            }
        }
        char c = source.charAt(at);
        if (OPERATORS.indexOf(c) < 0) {
            throw malformed("unexpected character '" + Character.toString(source.codePointAt(at)) + "'");
        }
        int bracket = "([{".indexOf(c);
        if (bracket >= 0) {
            open.push(")]}".charAt(bracket));
        } else if (")]}".indexOf(c) >= 0) {
            if (open.isEmpty()) {
                throw malformed("unexpected '" + c + "'");
            }
            char expected = open.pop();
            if (expected != c) {
                throw malformed("unexpected '" + c + "', expected '" + expected + "'");
            }
        }
        add(Token.Kind.OPERATOR, String.valueOf(c), at + 1);
    }

    private void number() {
        int whole = digits(at, 10);
        boolean afterDot = at > 0 && source.charAt(at - 1) == '.';
        int end = whole;
        if (!afterDot) {
            if (charAt(end) == '.' && Character.digit(charAt(end + 1), 10) >= 0) {
                end = digits(end + 1, 10);
            }
            int exponent = exponent(end);
            end = exponent > 0 ? exponent : end;
        }
        if (end > whole) {
            add(Token.Kind.FLOAT, source.substring(at, end).replace("_", ""), end);
            return;
        }
        int radix = charAt(at) != '0'
                ? 10
                : switch (charAt(at + 1)) {
                    case 'x', 'X' -> 16;
                    case 'o', 'O' -> 8;
                    case 'b', 'B' -> 2;
                    default -> 10;
                };
        int from = charAt(at + 2) == '_' ? at + 3 : at + 2;
        if (radix != 10 && Character.digit(charAt(from), radix) >= 0) {
            end = digits(from, radix);
        } else if (charAt(at) == '0') {
            end = at + 1;
            while (charAt(end) == '0' || charAt(end) == '_' && charAt(end + 1) == '0') {
                end++;
            }
        }
        add(Token.Kind.INTEGER, source.substring(at, end), end);
    }

    private char charAt(int offset) {
        return offset < source.length() ? source.charAt(offset) : 0;
    }

    /** The end of the ASCII digits, single underscores between them, that begin at {@code from}. */
    private int digits(int from, int radix) {
        int end = from;
        while (isDigit(charAt(end), radix) || end > from && charAt(end) == '_' && isDigit(charAt(end + 1), radix)) {
            end++;
        }
        return end;
    }

    private static boolean isDigit(char c, int radix) {
        return c < 128 && Character.digit(c, radix) >= 0;
    }

    /** The end of an exponent that begins at {@code from}, or -1. */
    private int exponent(int from) {
        if (charAt(from) != 'e' && charAt(from) != 'E') {
            return -1;
        }
        int digits = charAt(from + 1) == '+' || charAt(from + 1) == '-' ? from + 2 : from + 1;
        int end = digits(digits, 10);
        return end > digits ? end : -1;
    }

    private void string(char quote) {
        StringBuilder text = new StringBuilder();
        int i = at + 1;
        while (i < source.length() && source.charAt(i) != quote) {
            if (source.charAt(i) == '\\' && i + 1 < source.length()) {
                i = escape(i + 1, text);
            } else {
                text.append(source.charAt(i++));
            }
        }
        if (i >= source.length()) {
            throw malformed("the string that begins here has no end");
        }
        add(Token.Kind.STRING, text.toString(), i + 1);
    }

    /** Reads the escape whose letter stands at {@code i}; unknown ones stay as they are, as in Python. */
    private int escape(int i, StringBuilder text) {
        char c = source.charAt(i);
        int simple = "abfnrtv\\'\"".indexOf(c);
        if (simple >= 0) {
            text.append("\u0007\b\f\n\r\t\u000b\\'\"".charAt(simple));
            return i + 1;
        }
        return switch (c) {
            case '\n' -> i + 1;
            case 'x' -> code(i + 1, 2, text);
            case 'u' -> code(i + 1, 4, text);
            case 'U' -> code(i + 1, 8, text);
            case 'N' -> named(i + 1, text);
            default -> octal(i, text);
        };
    }

    private int octal(int i, StringBuilder text) {
        int end = i;
        while (end < i + 3 && charAt(end) >= '0' && charAt(end) <= '7') {
            end++;
        }
        if (end == i) {
            text.append('\\');
            return i;
        }
        text.append((char) Integer.parseInt(source.substring(i, end), 8));
        return end;
    }

    private int code(int from, int digits, StringBuilder text) {
        long code = 0;
        for (int i = from; i < from + digits; i++) {
            int digit = isDigit(charAt(i), 16) ? Character.digit(charAt(i), 16) : -1;
            if (digit < 0) {
                throw malformed("a string holds an escape with too few hex digits");
            }
            code = code * 16 + digit;
        }
        if (code > Character.MAX_CODE_POINT) {
            throw malformed("a string holds an escape beyond U+10FFFF");
        }
        text.appendCodePoint((int) code);
        return from + digits;
    }

    private int named(int from, StringBuilder text) {
        int end = source.indexOf('}', from);
        if (charAt(from) != '{' || end < 0) {
            throw malformed("a string holds a malformed \\N escape");
        }
        try {
            text.appendCodePoint(Character.codePointOf(source.substring(from + 1, end)));
        } catch (IllegalArgumentException e) {
            throw malformed("a string names an unknown Unicode character");
        }
        return end + 1;
    }
}
