package dev.pollux.inference.template;

import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.UnaryOperator;

/** Filters on text. */
final class TextFilters {

    private TextFilters() {}

    static void addTo(Map<String, Filters.Filter> all) {
        onText(all, "upper", text -> text.toUpperCase(Locale.ROOT));
        onText(all, "lower", text -> text.toLowerCase(Locale.ROOT));
        onText(all, "capitalize", text -> StringMethods.capitalize(text));
        onText(all, "title", text -> title(text));
        all.put("trim", TextFilters::trim);
        all.put("replace", TextFilters::replace);
        all.put("center", TextFilters::center);
        all.put("indent", TextFilters::indent);
        all.put("truncate", TextFilters::truncate);
        Filters.plain(all, "wordcount", (in, value) -> wordCount(in.printer().str(value)));
        all.put("wordwrap", TextFilters::wordWrap);
        all.put("format", TextFilters::format);
        all.put("striptags", (in, value, args) -> {
            String text = in.printer().str(value);
            return new Markup(in.origins().changed(text, Html.withoutTags(text, in.budget())));
        });
        all.put("urlencode", TextFilters::urlEncode);
        all.put("xmlattr", TextFilters::xmlAttributes);
    }

    /** Adds a filter without arguments that keeps safe strings safe. */
    private static void onText(Map<String, Filters.Filter> all, String name, UnaryOperator<String> function) {
        Filters.plain(all, name, (in, value) -> {
            String text = in.printer().str(value);
            return like(value, in.origins().changed(text, in.budget().allocated(function.apply(text))));
        });
    }

    private static Object like(Object origin, String text) {
        return origin instanceof Markup ? new Markup(text) : text;
    }

    /** Words begin after whitespace, a hyphen or an opening bracket; unlike {@code str.title} not after a quote. */
    private static String title(String text) {
        StringBuilder out = new StringBuilder(text.length());
        boolean start = true;
        for (int i = 0; i < text.length(); ) {
            int c = text.codePointAt(i);
            i += Character.charCount(c);
            boolean separator = "-({[<".indexOf(c) >= 0 || CodePoints.isSpace(c);
            String character = Character.toString(c);
            out.append(start ? character.toUpperCase(Locale.ROOT) : character.toLowerCase(Locale.ROOT));
            start = separator;
        }
        return out.toString();
    }

    private static Object trim(Interpreter in, Object value, Arguments arguments) {
        Arguments.Bound given = arguments.bind("trim", "chars");
        return like(
                value,
                in.budget().allocated(StringMethods.strip(in, in.printer().str(value), given, true, true)));
    }

    private static Object replace(Interpreter in, Object value, Arguments arguments) {
        Arguments.Bound given = arguments.bind("replace", "old", "new", "count");
        String old = in.printer().str(given.required(0));
        String by = in.printer().str(given.required(1));
        int count = given.hasValue(2) ? given.integer(2, -1) : -1;
        return StringMethods.replace(in, in.printer().str(value), old, by, count);
    }

    private static Object center(Interpreter in, Object value, Arguments arguments) {
        int width = arguments.bind("center", "width").integer(0, 80);
        return like(value, StringMethods.pad(in, in.printer().str(value), width, " ", 'c'));
    }

    private static Object indent(Interpreter in, Object value, Arguments arguments) {
        Arguments.Bound given = arguments.bind("indent", "width", "first", "blank");
        Object width = given.or(0, 4L);
        if (!Types.isString(value)) {
            throw value instanceof Undefined undefined
                    ? undefined.failure()
                    : Failure.of("TypeError: indent needs a string, not " + Types.name(value));
        }
        String indent = Types.isString(width)
                ? Types.text(width)
                : new TextBuilder(in.budget()).repeat(" ", given.integer(0, 4)).toString();
        boolean blank = given.truth(2, false);
        TextBuilder out = new TextBuilder(in.budget());
        String text = out.append(Types.text(value)).append("\n").toString();
        List<Object> lines = Splitting.lines(in.origins(), text, false);
        out = new TextBuilder(in.budget());
        out.append(given.truth(1, false) ? indent : "").append((String) lines.get(0));
        for (Object line : lines.subList(1, lines.size())) {
            out.append("\n")
                    .append(blank || !((String) line).isEmpty() ? indent : "")
                    .append((String) line);
        }
        return like(value, out.toString());
    }

    private static Object truncate(Interpreter in, Object value, Arguments arguments) {
        Arguments.Bound given = arguments.bind("truncate", "length", "killwords", "end", "leeway");
        int length = given.integer(0, 255);
        String end = given.text(2, "...");
        int leeway = given.hasValue(3) ? given.integer(3, 5) : 5;
        int kept = length - CodePoints.length(end);
        if (kept < 0 || leeway < 0) {
            throw Failure.of(
                    "AssertionError: truncate needs a length of at least that of its end, and no negative leeway");
        } else if (Filters.length(value, in.budget()) <= (long) length + leeway) {
            return value;
        } else if (!Types.isString(value)) {
            throw Failure.of("TypeError: truncate needs a string, not " + Types.name(value));
        }
        String text = Types.text(value);
        int cut = CodePoints.offset(text, kept);
        int space = given.truth(1, false) ? -1 : text.lastIndexOf(' ', cut - 1);
        TextBuilder out = new TextBuilder(in.budget());
        return like(
                value, out.append(text, 0, space < 0 ? cut : space).append(end).toString());
    }

    private static Long wordCount(String text) {
        long words = 0;
        boolean inWord = false;
        for (int i = 0; i < text.length(); ) {
            int c = text.codePointAt(i);
            i += Character.charCount(c);
            boolean word = Character.isLetterOrDigit(c)
                    || c == '_'
                    || Character.getType(c) == Character.OTHER_NUMBER
                    || Character.getType(c) == Character.LETTER_NUMBER;
            words += word && !inWord ? 1 : 0;
            inWord = word;
        }
        return words;
    }

    private static Object wordWrap(Interpreter in, Object value, Arguments arguments) {
        Arguments.Bound given =
                arguments.bind("wordwrap", "width", "break_long_words", "wrapstring", "break_on_hyphens");
        if (!Types.isString(value)) {
            throw value instanceof Undefined undefined
                    ? undefined.failure()
                    : Failure.of("TypeError: wordwrap needs a string, not " + Types.name(value));
        }
        WordWrap wrap = new WordWrap(given.integer(0, 79), given.truth(1, true), given.truth(3, true));
        String newline = given.text(2, "\n");
        TextBuilder out = new TextBuilder(in.budget());
        String separator = "";
        String text = Types.text(value);
        for (Object line : Splitting.lines(in.origins(), text, false)) {
            in.budget().scan(((String) line).length() * 16L);
            out.append(separator).append(String.join(newline, wrap.wrap((String) line)));
            separator = newline;
        }
        out.madeOf(text, 0);
        return out.toString();
    }

    private static Object format(Interpreter in, Object value, Arguments arguments) {
        if (!arguments.positional().isEmpty() && !arguments.named().isEmpty()) {
            throw Failure.of("format can't handle positional and keyword arguments at the same time");
        }
        Object values = Tuple.of(arguments.positional());
        if (!arguments.named().isEmpty()) {
            Dict named = new Dict();
            arguments.named().forEach(named::put);
            values = named;
        }
        Object pattern = Types.isString(value) ? value : in.printer().str(value);
        return in.operators().binary("%", pattern, values);
    }

    private static Object urlEncode(Interpreter in, Object value, Arguments arguments) {
        if (Types.isString(value) || !Iteration.isIterable(value)) {
            return quote(in, value, "/", "%20");
        }
        TextBuilder out = new TextBuilder(in.budget());
        Iterator<Object> items = value instanceof Dict dict ? dict.pairs().iterator() : Filters.iterate(in, value);
        while (items.hasNext()) {
            List<Object> pair = Iteration.list(items.next(), in.budget());
            if (pair.size() != 2) {
                throw Failure.of("ValueError: urlencode needs pairs, but an item has " + pair.size() + " parts");
            }
            out.append(out.length() > 0 ? "&" : "")
                    .append(quote(in, pair.get(0), "", "+"))
                    .append("=")
                    .append(quote(in, pair.get(1), "", "+"));
        }
        return out.toString();
    }

    private static String quote(Interpreter in, Object value, String alsoSafe, String space) {
        TextBuilder out = new TextBuilder(in.budget());
        String text = in.printer().str(value);
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            char c = (char) (b & 0xff);
            if (c == ' ') {
                out.append(space);
            } else if (c < 128 && Character.isLetterOrDigit(c) || ("_.-~" + alsoSafe).indexOf(c) >= 0) {
                out.append(c);
            } else {
                out.append(String.format("%%%02X", (int) c));
            }
        }
        return in.origins().changed(text, out.toString());
    }

    private static Object xmlAttributes(Interpreter in, Object value, Arguments arguments) {
        boolean space = arguments.bind("xmlattr", "autospace").truth(0, true);
        if (!(value instanceof Dict dict)) {
            throw value instanceof Undefined undefined
                    ? undefined.failure()
                    : Failure.of("TypeError: xmlattr needs a mapping, not " + Types.name(value));
        }
        TextBuilder out = new TextBuilder(in.budget());
        for (Dict.Item item : dict.items()) {
            if (item.value() == None.NONE || item.value() instanceof Undefined) {
                continue;
            }
            String key = in.printer().str(item.key());
            if (key.chars().anyMatch(c -> " \t\n\r\f\u000b/>=".indexOf(c) >= 0)) {
                throw Failure.of("ValueError: Invalid character in attribute name: "
                        + in.printer().repr(key));
            }
            out.append(space || out.length() > 0 ? " " : "")
                    .append(in.origins().changed(key, Markup.escape(key)))
                    .append("=\"");
            String text = in.printer().str(item.value());
            boolean safe = item.value() instanceof Markup;
            out.append(safe ? text : in.origins().changed(text, Markup.escape(text)))
                    .append("\"");
        }
        return out.toString();
    }
}
