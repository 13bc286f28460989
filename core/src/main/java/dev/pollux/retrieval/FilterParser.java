package dev.pollux.retrieval;

import java.math.BigDecimal;
import java.time.LocalDate;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Parses the text of a filter. <em>Not thread-safe: one thread, one text.</em> */
final class FilterParser {

    /*
     * Recursive descent, one method a rule:
     *
     *   filter  = and { "or" and }
     *   and     = unary { "and" unary }
     *   unary   = "not" unary | primary
     *   primary = "(" filter ")" | "all" | "exists" field | field [ test ]
     *   test    = ( "=" | "!=" | "<" | "<=" | ">" | ">=" ) value | [ "not" ] "in" "(" value { "," value } ")" | "contains" value
     *   value   = text in quotation marks | number | date | "true" | "false"
     *
     * A field without a test is compared with true. Keywords may have any case.
     */

    private static final int MOST_DEPTH = 100;

    private static final Pattern TOKEN = Pattern.compile("\\s*(?:"
            + "(?<text>\"(?:[^\"\\\\]|\\\\.)*\"|'(?:[^'\\\\]|\\\\.)*')"
            + "|(?<quoted>`(?:[^`]|``)+`)"
            + "|(?<date>\\d{4}-\\d{2}-\\d{2}(?![\\p{L}\\p{N}_.-]))"
            + "|(?<number>[+-]?(?:\\d+(?:\\.\\d*)?|\\.\\d+)(?:[eE][+-]?\\d{1,3})?(?![\\p{L}\\p{N}_]))"
            + "|(?<word>[\\p{L}_][\\p{L}\\p{N}_.-]*)"
            + "|(?<sign><=|>=|!=|<>|==|[=<>(),])"
            + ")");

    private final String text;
    private final Matcher matcher;
    private String token = ""; // empty at the end
    private String kind = "";
    private int at; // of the token, from 0
    private int depth;

    private FilterParser(String text) {
        this.text = text;
        this.matcher = TOKEN.matcher(text);
        next(0);
    }

    static Filter parse(String text) {
        FilterParser parser = new FilterParser(text);
        if (parser.kind.isEmpty()) {
            throw parser.expected("a field");
        }
        Filter filter = parser.or();
        if (!parser.kind.isEmpty()) {
            throw parser.expected("'and', 'or' or the end");
        }
        return filter;
    }

    private Filter or() {
        Filter filter = and();
        while (takes("or")) {
            filter = filter.or(and());
        }
        return filter;
    }

    private Filter and() {
        Filter filter = unary();
        while (takes("and")) {
            filter = filter.and(unary());
        }
        return filter;
    }

    private Filter unary() {
        if (++depth > MOST_DEPTH) {
            throw new IllegalArgumentException(
                    "The filter must not nest deeper than " + MOST_DEPTH + " but does at position " + (at + 1));
        }
        Filter filter = takes("not") ? unary().negated() : primary();
        depth--;
        return filter;
    }

    private Filter primary() {
        if (takes("(")) {
            Filter filter = or();
            require(")");
            return filter;
        }
        if (takes("all")) {
            return Filter.all();
        }
        return takes("exists") ? Filter.exists(field()) : test(field());
    }

    private Filter test(String field) {
        int begin = at;
        try {
            if (takes("=") || takes("==")) {
                return Filter.equal(field, value());
            } else if (takes("!=") || takes("<>")) {
                return Filter.equal(field, value()).negated();
            } else if (takes("<")) {
                return Filter.lessThan(field, value());
            } else if (takes("<=")) {
                return Filter.atMost(field, value());
            } else if (takes(">")) {
                return Filter.greaterThan(field, value());
            } else if (takes(">=")) {
                return Filter.atLeast(field, value());
            } else if (takes("contains")) {
                return Filter.contains(field, value());
            } else if (takes("in")) {
                return Filter.in(field, values());
            } else if (takes("not")) {
                require("in");
                return Filter.in(field, values()).negated();
            }
        } catch (UntypedException e) {
            throw error(begin, e.problem());
        }
        return Filter.equal(field, true);
    }

    private Object[] values() {
        require("(");
        List<Object> values = new ArrayList<>(List.of(value()));
        while (takes(",")) {
            values.add(value());
        }
        require(")");
        return values.toArray();
    }

    private String field() {
        String name = token;
        if (kind.equals("quoted")) {
            name = token.substring(1, token.length() - 1).replace("``", "`");
        } else if (!kind.equals("word") || FilterText.isKeyword(token)) {
            throw expected("a field");
        }
        next(matcher.end());
        return name;
    }

    private FilterValue value() {
        FilterValue value;
        if (kind.equals("text")) {
            value = FilterValue.of(token.substring(1, token.length() - 1).replaceAll("\\\\(.)", "$1"));
        } else if (kind.equals("date")) {
            value = date();
        } else if (kind.equals("number")) {
            value = FilterValue.of(new BigDecimal(token));
        } else if (is("true") || is("false")) {
            value = FilterValue.of(is("true"));
        } else if (kind.equals("word")) {
            throw expected("a value, with text in quotation marks,");
        } else {
            throw expected("a value");
        }
        next(matcher.end());
        return value;
    }

    private FilterValue date() {
        try {
            return FilterValue.of(LocalDate.parse(token));
        } catch (DateTimeParseException e) {
            throw error(at, "there is no date " + token);
        }
    }

    private boolean is(String word) {
        return (kind.equals("word") || kind.equals("sign"))
                && token.toLowerCase(Locale.ROOT).equals(word);
    }

    private boolean takes(String word) {
        if (is(word)) {
            next(matcher.end());
            return true;
        }
        return false;
    }

    private void require(String sign) {
        if (!takes(sign)) {
            throw expected("'" + sign + "'");
        }
    }

    private void next(int from) {
        int begin = from;
        while (begin < text.length() && Character.isWhitespace(text.charAt(begin))) {
            begin++;
        }
        at = begin;
        if (begin == text.length()) {
            kind = "";
            token = "";
            return;
        }
        if (!matcher.region(begin, text.length()).lookingAt()) {
            boolean open = "\"'`".indexOf(text.charAt(begin)) >= 0;
            throw error(
                    begin,
                    open
                            ? "the quotation mark " + text.charAt(begin) + " is not closed"
                            : "'" + text.substring(begin, text.offsetByCodePoints(begin, 1)) + "' has no meaning here");
        }
        for (String group : List.of("text", "quoted", "date", "number", "word", "sign")) {
            if (matcher.group(group) != null) {
                kind = group;
                token = matcher.group(group);
            }
        }
    }

    private IllegalArgumentException expected(String what) {
        return error(at, "expected " + what + " but found " + (kind.isEmpty() ? "the end" : "'" + token + "'"));
    }

    private IllegalArgumentException error(int position, String problem) {
        return new IllegalArgumentException("The filter does not parse at position " + (position + 1) + ": " + problem
                + " in: " + text + "; write it as department = \"hr\" and year >= 2024 and not archived");
    }

    /** A comparison with a value of a type that has no order. */
    static final class UntypedException extends IllegalArgumentException {
        private static final long serialVersionUID = 1;

        private final String problem;

        UntypedException(String problem) {
            super(problem);
            this.problem = problem;
        }

        String problem() {
            return problem;
        }
    }
}
