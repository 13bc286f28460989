package dev.pollux.retrieval;

import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Formats filters as text. */
final class FilterText {

    private static final Pattern PLAIN_NAME = Pattern.compile("[\\p{L}_][\\p{L}\\p{N}_.-]*");
    private static final Set<String> KEYWORDS =
            Set.of("all", "and", "or", "not", "in", "contains", "exists", "true", "false");

    private FilterText() {}

    static boolean isKeyword(String word) {
        return KEYWORDS.contains(word.toLowerCase(Locale.ROOT));
    }

    static void checkField(String field) {
        if (field.isBlank()) {
            throw new IllegalArgumentException("field must not be blank; name a field of the metadata");
        }
    }

    /** A field name. An ambiguous name is put in backquotes, and each backquote in it is doubled. */
    static String field(String name) {
        return PLAIN_NAME.matcher(name).matches() && !isKeyword(name) ? name : '`' + name.replace("`", "``") + '`';
    }

    static Set<String> fields(List<Filter> parts) {
        return parts.stream().flatMap(part -> part.fields().stream()).collect(Collectors.toUnmodifiableSet());
    }

    static String joined(String word, List<Filter> parts, Set<Class<?>> weaker) {
        return parts.stream().map(part -> enclosed(part, weaker)).collect(Collectors.joining(word));
    }

    /** An operand, in parentheses if its precedence is lower than that of the enclosing operator. */
    static String enclosed(Filter part, Set<Class<?>> weaker) {
        return weaker.contains(part.getClass()) && !part.equals(Filter.all()) ? "(" + part + ")" : part.toString();
    }
}
