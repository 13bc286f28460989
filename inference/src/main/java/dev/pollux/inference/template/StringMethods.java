package dev.pollux.inference.template;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** The methods of Python's str; what they count is code points. The splitting ones are in {@link Splitting}. */
final class StringMethods {

    private static final Map<String, Method> METHODS = methods();

    private StringMethods() {}

    /** A method of a string. */
    interface Method {
        Object call(Interpreter in, String self, Arguments arguments);
    }

    static @Nullable Method find(String name) {
        return METHODS.get(name);
    }

    /** All there are. */
    static Set<String> names() {
        return METHODS.keySet();
    }

    private static Map<String, Method> methods() {
        Map<String, Method> all = new HashMap<>();
        plain(all);
        tests(all);
        all.put("strip", (in, self, args) -> strip(in, self, args.bind("strip", "chars"), true, true));
        all.put("lstrip", (in, self, args) -> strip(in, self, args.bind("lstrip", "chars"), true, false));
        all.put("rstrip", (in, self, args) -> strip(in, self, args.bind("rstrip", "chars"), false, true));
        all.put(
                "startswith",
                (in, self, args) -> affix(in, self, args.bind("startswith", "prefix", "start", "end"), true));
        all.put(
                "endswith",
                (in, self, args) -> affix(in, self, args.bind("endswith", "suffix", "start", "end"), false));
        all.put("removeprefix", (in, self, args) -> {
            String prefix = args.bind("removeprefix", "prefix").text(0);
            return self.startsWith(prefix) ? in.origins().part(self, prefix.length(), self.length()) : self;
        });
        all.put("removesuffix", (in, self, args) -> {
            String suffix = args.bind("removesuffix", "suffix").text(0);
            return self.endsWith(suffix) ? in.origins().part(self, 0, self.length() - suffix.length()) : self;
        });
        all.put("replace", (in, self, args) -> {
            Arguments.Bound given = args.bind("replace", "old", "new", "count");
            return replace(in, self, given.text(0), given.text(1), given.integer(2, -1));
        });
        all.put("join", StringMethods::join);
        all.put("find", (in, self, args) -> find(self, args.bind("find", "sub", "start", "end"), false));
        all.put("rfind", (in, self, args) -> find(self, args.bind("rfind", "sub", "start", "end"), true));
        all.put("index", (in, self, args) -> found(find(self, args.bind("index", "sub", "start", "end"), false)));
        all.put("rindex", (in, self, args) -> found(find(self, args.bind("rindex", "sub", "start", "end"), true)));
        all.put("count", (in, self, args) -> count(self, args.bind("count", "sub", "start", "end")));
        padding(all);
        all.put("format", (in, self, args) -> new BraceFormat(in, args, Optional.empty()).format(self));
        all.put("format_map", StringMethods::formatMap);
        all.put("encode", (in, self, args) -> {
            throw Failure.of("encode() is not available: templates have no bytes");
        });
        Splitting.addTo(all);
        return Map.copyOf(all);
    }

    private static void padding(Map<String, Method> all) {
        all.put("center", (in, self, args) -> pad(in, self, args.bind("center", "width", "fillchar"), 'c'));
        all.put("ljust", (in, self, args) -> pad(in, self, args.bind("ljust", "width", "fillchar"), 'l'));
        all.put("rjust", (in, self, args) -> pad(in, self, args.bind("rjust", "width", "fillchar"), 'r'));
        all.put("zfill", (in, self, args) -> zfill(in, self, args.bind("zfill", "width")));
        all.put("expandtabs", (in, self, args) -> expandTabs(in, self, args.bind("expandtabs", "tabsize")));
    }

    private static void plain(Map<String, Method> all) {
        plain(all, "upper", text -> text.toUpperCase(Locale.ROOT));
        plain(all, "lower", text -> text.toLowerCase(Locale.ROOT));
        plain(all, "casefold", text -> text.toUpperCase(Locale.ROOT).toLowerCase(Locale.ROOT));
        plain(all, "capitalize", StringMethods::capitalize);
        plain(all, "title", StringMethods::title);
        plain(all, "swapcase", StringMethods::swapCase);
    }

    private static void plain(Map<String, Method> all, String name, UnaryOperator<String> function) {
        all.put(name, (in, self, args) -> {
            args.bind(name);
            return in.origins().changed(self, in.budget().allocated(function.apply(self)));
        });
    }

    private static void tests(Map<String, Method> all) {
        test(all, "isdigit", text -> every(text, StringMethods::isDigit));
        test(all, "isdecimal", text -> every(text, Character::isDigit));
        test(all, "isnumeric", text -> every(text, StringMethods::isNumeric));
        test(all, "isalpha", text -> every(text, Character::isLetter));
        test(all, "isalnum", text -> every(text, c -> Character.isLetter(c) || isNumeric(c)));
        test(all, "isspace", text -> every(text, CodePoints::isSpace));
        test(all, "isascii", text -> text.chars().allMatch(c -> c < 128));
        test(all, "isprintable", text -> text.codePoints().allMatch(CodePoints::isPrintable));
        test(all, "isidentifier", Lexer::isIdentifier);
        test(all, "isupper", StringMethods::isUpper);
        test(all, "islower", StringMethods::isLower);
        test(
                all,
                "istitle",
                text -> text.codePoints().anyMatch(StringMethods::isCased)
                        && title(text).equals(text));
    }

    private static void test(Map<String, Method> all, String name, Predicate<String> test) {
        all.put(name, (in, self, args) -> {
            args.bind(name);
            return test.test(self);
        });
    }

    private static boolean every(String text, IntPredicate test) {
        return !text.isEmpty() && text.codePoints().allMatch(test);
    }

    @SuppressWarnings("CharacterGetNumericValue") // of digits and circled digits only, where it is what Python has
    private static boolean isDigit(int c) {
        return Character.isDigit(c)
                || Character.getType(c) == Character.OTHER_NUMBER
                        && Character.getNumericValue(c) >= 0
                        && Character.getNumericValue(c) <= 9
                        && !(c >= 0x3220 && c < 0x3300);
    }

    private static boolean isNumeric(int c) {
        int type = Character.getType(c);
        return type == Character.DECIMAL_DIGIT_NUMBER
                || type == Character.OTHER_NUMBER
                || type == Character.LETTER_NUMBER
                || "一二三四五六七八九十百千万亿零〇".indexOf(c) >= 0;
    }

    private static boolean isCased(int c) {
        return Character.isUpperCase(c) || Character.isLowerCase(c) || Character.isTitleCase(c);
    }

    static boolean isUpper(String text) {
        return text.codePoints().anyMatch(Character::isUpperCase)
                && text.codePoints().noneMatch(c -> Character.isLowerCase(c) || Character.isTitleCase(c));
    }

    static boolean isLower(String text) {
        return text.codePoints().anyMatch(Character::isLowerCase)
                && text.codePoints().noneMatch(c -> Character.isUpperCase(c) || Character.isTitleCase(c));
    }

    static String capitalize(String text) {
        if (text.isEmpty()) {
            return text;
        }
        int first = text.codePointAt(0);
        return titleCase(first) + text.substring(Character.charCount(first)).toLowerCase(Locale.ROOT);
    }

    private static String titleCase(int c) {
        int title = Character.toTitleCase(c);
        String upper = Character.toString(c).toUpperCase(Locale.ROOT);
        if (title != c || upper.codePointCount(0, upper.length()) == 1) {
            return Character.toString(title);
        }
        int head = Character.charCount(upper.codePointAt(0));
        return upper.substring(0, head) + upper.substring(head).toLowerCase(Locale.ROOT);
    }

    private static String title(String text) {
        StringBuilder out = new StringBuilder(text.length());
        boolean inWord = false;
        for (int i = 0; i < text.length(); ) {
            int c = text.codePointAt(i);
            i += Character.charCount(c);
            out.append(inWord ? Character.toString(c).toLowerCase(Locale.ROOT) : titleCase(c));
            inWord = isCased(c);
        }
        return out.toString();
    }

    private static String swapCase(String text) {
        StringBuilder out = new StringBuilder(text.length());
        text.codePoints().forEach(c -> {
            String character = Character.toString(c);
            out.append(
                    Character.isUpperCase(c) ? character.toLowerCase(Locale.ROOT) : character.toUpperCase(Locale.ROOT));
        });
        return out.toString();
    }

    /** @param given what is stripped; whitespace where nothing is given */
    static String strip(Interpreter in, String text, Arguments.Bound given, boolean start, boolean end) {
        Set<Integer> listed = new HashSet<>();
        if (given.hasValue(0)) {
            given.text(0).codePoints().forEach(listed::add);
        }
        IntPredicate stripped = given.hasValue(0) ? listed::contains : CodePoints::isSpace;
        int from = 0;
        int to = text.length();
        while (start && from < to && stripped.test(text.codePointAt(from))) {
            from += Character.charCount(text.codePointAt(from));
        }
        while (end && to > from && stripped.test(text.codePointBefore(to))) {
            to -= Character.charCount(text.codePointBefore(to));
        }
        return in.origins().part(text, from, to);
    }

    /** The part {@code [start:end]} as units; empty where start lies beyond the text, which holds not even "". */
    private static Optional<int[]> part(String text, Arguments.Bound given) {
        int size = CodePoints.length(text);
        int start = given.hasValue(1) ? given.integer(1, 0) : 0;
        int end = given.hasValue(2) ? given.integer(2, size) : size;
        start = Math.max(0, start < 0 ? start + size : start);
        end = Math.max(0, Math.min(size, end < 0 ? end + size : end));
        return start > size || start > end
                ? Optional.empty()
                : Optional.of(new int[] {CodePoints.offset(text, start), CodePoints.offset(text, end)});
    }

    private static boolean affix(Interpreter in, String text, Arguments.Bound given, boolean prefix) {
        Optional<int[]> part = part(text, given);
        Object wanted = given.required(0);
        List<Object> choices = wanted instanceof Tuple tuple ? tuple.items() : List.of(given.text(0));
        if (!choices.stream().allMatch(Types::isString)) {
            throw Failure.of("TypeError: tuple for startswith or endswith must only contain str");
        }
        return part.isPresent()
                && choices.stream().map(Types::text).anyMatch(choice -> {
                    in.budget().scan(choice.length());
                    int from = prefix ? part.get()[0] : part.get()[1] - choice.length();
                    return from >= part.get()[0]
                            && from + choice.length() <= part.get()[1]
                            && text.startsWith(choice, from);
                });
    }

    private static long find(String text, Arguments.Bound given, boolean last) {
        String wanted = given.text(0);
        Optional<int[]> part = part(text, given);
        if (part.isEmpty()) {
            return -1;
        }
        int from = part.get()[0];
        int to = part.get()[1];
        String head = text.substring(0, to);
        int at = last ? CodePoints.lastIndexOf(head, wanted, to) : CodePoints.indexOf(head, wanted, from);
        return at < from ? -1 : text.codePointCount(0, at);
    }

    private static long found(long index) {
        if (index < 0) {
            throw Failure.of("ValueError: substring not found");
        }
        return index;
    }

    private static long count(String text, Arguments.Bound given) {
        String wanted = given.text(0);
        Optional<int[]> part = part(text, given);
        if (part.isEmpty()) {
            return 0;
        }
        String searched = text.substring(part.get()[0], part.get()[1]);
        if (wanted.isEmpty()) {
            return CodePoints.length(searched) + 1L;
        }
        long count = 0;
        for (int at = CodePoints.indexOf(searched, wanted, 0);
                at >= 0;
                at = CodePoints.indexOf(searched, wanted, at + wanted.length())) {
            count++;
        }
        return count;
    }

    /** @param count how many times at most; all where negative */
    static String replace(Interpreter in, String text, String old, String by, int count) {
        TextBuilder out = new TextBuilder(in.budget());
        int left = count < 0 ? Integer.MAX_VALUE : count;
        int done = 0;
        if (old.isEmpty()) {
            for (int i = 0; i < text.length() && left > 0; left--) {
                int next = i + Character.charCount(text.codePointAt(i));
                out.append(by).append(text, i, next);
                i = next;
                done = next;
            }
            return out.append(left > 0 ? by : "")
                    .append(text, done, text.length())
                    .toString();
        }
        for (int at = CodePoints.indexOf(text, old, 0); at >= 0 && left > 0; at = CodePoints.indexOf(text, old, done)) {
            out.append(text, done, at).append(by);
            done = at + old.length();
            left--;
        }
        return out.append(text, done, text.length()).toString();
    }

    private static Object join(Interpreter in, String self, Arguments arguments) {
        TextBuilder out = new TextBuilder(in.budget());
        String separator = "";
        List<Object> items = Iteration.list(arguments.bind("join", "iterable").required(0), in.budget());
        for (int i = 0; i < items.size(); i++) {
            if (!Types.isString(items.get(i))) {
                throw Failure.of("TypeError: sequence item " + i + ": expected str instance, "
                        + Types.name(items.get(i)) + " found");
            }
            out.append(separator).append(Types.text(items.get(i)));
            separator = self;
        }
        return out.toString();
    }

    private static Object pad(Interpreter in, String text, Arguments.Bound given, char side) {
        String fill = given.text(1, " ");
        if (CodePoints.length(fill) != 1) {
            throw Failure.of("TypeError: the fill character must be exactly one character long");
        }
        given.required(0);
        return pad(in, text, given.integer(0, 0), fill, side);
    }

    /** @param side {@code c}, {@code l} or {@code r}: where the text goes */
    static String pad(Interpreter in, String text, int width, String fill, char side) {
        long missing = Math.max(0, (long) width - CodePoints.length(text));
        long before = side == 'l' ? 0 : side == 'r' ? missing : missing / 2 + (missing & width & 1);
        return new TextBuilder(in.budget())
                .repeat(fill, before)
                .append(text)
                .repeat(fill, missing - before)
                .toString();
    }

    private static Object zfill(Interpreter in, String text, Arguments.Bound given) {
        given.required(0);
        int sign = text.startsWith("-") || text.startsWith("+") ? 1 : 0;
        String digits = text.substring(sign);
        String padded = text.substring(0, sign) + pad(in, digits, given.integer(0, 0) - sign, "0", 'r');
        return in.origins().changed(text, padded);
    }

    private static Object expandTabs(Interpreter in, String text, Arguments.Bound given) {
        int size = given.integer(0, 8);
        TextBuilder out = new TextBuilder(in.budget());
        int column = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\t') {
                int spaces = size <= 0 ? 0 : size - column % size;
                out.repeat(" ", spaces);
                column += spaces;
            } else {
                out.append(c);
                column = c == '\n' || c == '\r' ? 0 : column + (Character.isLowSurrogate(c) ? 0 : 1);
            }
        }
        return in.origins().changed(text, out.toString());
    }

    private static Object formatMap(Interpreter in, String self, Arguments arguments) {
        Object map = arguments.bind("format_map", "mapping").required(0);
        if (!(map instanceof Dict dict)) {
            throw Failure.of("TypeError: format_map() needs a mapping, not " + Types.name(map));
        }
        return new BraceFormat(in, Arguments.NONE, Optional.of(dict)).format(self);
    }
}
