package dev.pollux.retrieval;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A condition on the metadata of documents. A query with a filter finds only passages whose document satisfies it.
 *
 * <pre>{@code
 * Filter filter = Filter.equal("department", "hr")
 *         .and(Filter.atLeast("year", 2024))
 *         .and(Filter.equal("archived", true).negated());
 * retriever.retrieve(Query.of("parental leave").withFilter(filter));
 * }</pre>
 *
 * <p>A comparison is false if the document lacks the field or the field does not have the value's type; its negation is then
 * true. Field names are case-sensitive. Fields from front matter have lower-case names. A list is a JSON array, such as {@code ["red","green"]}
 * (see {@link MetadataValue}), or a text with commas between its elements, such as {@code "red, green"}: {@link #contains} compares
 * its elements, every other comparison the whole text. Examples, for {@code atLeast("year", 2024)}: {@code year: 2025} passes; {@code year: 2023},
 * {@code year: soon} and a document without {@code year} fail.
 *
 * <p>{@code toString()} returns the filter as text, which {@link #parse} reads: {@code department = "hr" and year >= 2024 and
 * not archived = true}. Operator precedence, highest first: {@code not}, {@code and}, {@code or}.
 *
 * <p><em>Immutable.</em>
 */
public sealed interface Filter {

    /** Whether a document with this metadata satisfies the filter. */
    boolean matches(Map<String, String> metadata);

    /** The names of the fields that the filter compares. */
    Set<String> fields();

    /**
     * Parses the text of a filter.
     *
     * <pre>
     * department = "hr" and year &gt;= 2024 and not archived
     * tags contains "salary" or updated &gt; 2024-05-01
     * status in ("open", "new") and exists owner and author != 'Ann'
     * </pre>
     *
     * <p>Values are texts in quotation marks, numbers, dates, {@code true} and {@code false}. A field without a comparison is
     * compared with {@code true}. A field whose name has other characters than letters, digits, {@code _ . -}, or is a keyword,
     * is written in backquotes.
     *
     * @throws IllegalArgumentException if the text does not parse, with the position, counted from 1
     */
    static Filter parse(String text) {
        return FilterParser.parse(text);
    }

    /** True for every passage; the default filter of a query. */
    static Filter all() {
        return new And(List.of()); // no constant: its class and this would wait for each other to be initialized
    }

    /** True if a field equals a value; see {@link FilterValue#of} for its types. */
    static Filter equal(String field, Object value) {
        return new Comparison(field, Operator.EQUAL, FilterValue.of(value));
    }

    /** True if a field equals one of the values; at least one value is required. */
    static Filter in(String field, Object... values) {
        return new In(field, Arrays.stream(values).map(FilterValue::of).toList());
    }

    /** True if a field is a list with an element that equals a value; a field without commas is a list of one element. */
    static Filter contains(String field, Object value) {
        return new Comparison(field, Operator.CONTAINS, FilterValue.of(value));
    }

    /** True if a field is a number or date and field ≥ value. */
    static Filter atLeast(String field, Object value) {
        return new Comparison(field, Operator.AT_LEAST, FilterValue.of(value));
    }

    /** True if a field is a number or date and field &gt; value. */
    static Filter greaterThan(String field, Object value) {
        return new Comparison(field, Operator.GREATER, FilterValue.of(value));
    }

    /** True if a field is a number or date and field ≤ value. */
    static Filter atMost(String field, Object value) {
        return new Comparison(field, Operator.AT_MOST, FilterValue.of(value));
    }

    /** True if a field is a number or date and field &lt; value. */
    static Filter lessThan(String field, Object value) {
        return new Comparison(field, Operator.LESS, FilterValue.of(value));
    }

    /** True if a field is a number or date in [{@code first}, {@code last}]. */
    static Filter between(String field, Object first, Object last) {
        return atLeast(field, first).and(atMost(field, last));
    }

    /** True if the document has the field, with any text. */
    static Filter exists(String field) {
        return new Exists(field);
    }

    /** True if both filters are true. */
    default Filter and(Filter other) {
        List<Filter> parts = new ArrayList<>(this instanceof And and ? and.parts() : List.of(this));
        parts.addAll(other instanceof And and ? and.parts() : List.of(other));
        return parts.size() == 1 ? parts.get(0) : new And(parts);
    }

    /** True if at least one of the two filters is true. */
    default Filter or(Filter other) {
        List<Filter> parts = new ArrayList<>(this instanceof Or or ? or.parts() : List.of(this));
        parts.addAll(other instanceof Or or ? or.parts() : List.of(other));
        return new Or(parts);
    }

    /** True if this filter is false. */
    default Filter negated() {
        return this instanceof Not not ? not.part() : new Not(this);
    }

    /** A comparison operator. */
    enum Operator {
        EQUAL("="),
        CONTAINS("contains"),
        LESS("<"),
        AT_MOST("<="),
        GREATER(">"),
        AT_LEAST(">=");

        private static final Pattern ELEMENTS = Pattern.compile(",");

        private final String sign;

        Operator(String sign) {
            this.sign = sign;
        }

        /** The operator's symbol in the text of a filter, such as {@code >=}. */
        public String sign() {
            return sign;
        }

        private boolean holds(String text, FilterValue value) {
            if (this == EQUAL) {
                return value.isEqual(text);
            }
            if (this == CONTAINS) {
                return MetadataValue.list(text)
                        .map(list -> list.stream().map(MetadataValue::text))
                        .orElseGet(() -> ELEMENTS.splitAsStream(text).map(String::strip))
                        .anyMatch(value::isEqual);
            }
            return value.compare(text)
                    .filter(order -> switch (this) {
                        case LESS -> order < 0;
                        case AT_MOST -> order <= 0;
                        case GREATER -> order > 0;
                        case AT_LEAST -> order >= 0;
                        case EQUAL, CONTAINS -> order == 0;
                    })
                    .isPresent();
        }
    }

    /**
     * A comparison of a field.
     *
     * @param field not blank
     * @param value of an ordered type, unless the operator is {@link Operator#EQUAL} or {@link Operator#CONTAINS}
     */
    record Comparison(String field, Operator operator, FilterValue value) implements Filter {

        public Comparison {
            FilterText.checkField(field);
            if (operator != Operator.EQUAL && operator != Operator.CONTAINS && !value.isOrdered()) {
                throw new FilterParser.UntypedException(
                        "A filter with " + operator.sign() + " takes a number or a date but was "
                                + FilterText.field(field) + " " + operator.sign() + " " + value
                                + "; give a Number or a LocalDate");
            }
        }

        @Override
        public Set<String> fields() {
            return Set.of(field);
        }

        @Override
        public boolean matches(Map<String, String> metadata) {
            String text = metadata.get(field);
            return text != null && operator.holds(text, value);
        }

        @Override
        public String toString() {
            return FilterText.field(field) + " " + operator.sign() + " " + value;
        }
    }

    /**
     * Equality of a field to one of several values.
     *
     * @param field not blank
     * @param values at least one
     */
    record In(String field, List<FilterValue> values) implements Filter {

        public In {
            FilterText.checkField(field);
            values = List.copyOf(values);
            if (values.isEmpty()) {
                throw new IllegalArgumentException(
                        "values must hold at least one value for field " + field + " but was empty");
            }
        }

        @Override
        public Set<String> fields() {
            return Set.of(field);
        }

        @Override
        public boolean matches(Map<String, String> metadata) {
            String text = metadata.get(field);
            return text != null && values.stream().anyMatch(value -> value.isEqual(text));
        }

        @Override
        public String toString() {
            return FilterText.field(field)
                    + values.stream().map(FilterValue::toString).collect(Collectors.joining(", ", " in (", ")"));
        }
    }

    /**
     * Presence of a field.
     *
     * @param field not blank
     */
    record Exists(String field) implements Filter {

        public Exists {
            FilterText.checkField(field);
        }

        @Override
        public Set<String> fields() {
            return Set.of(field);
        }

        @Override
        public boolean matches(Map<String, String> metadata) {
            return metadata.containsKey(field);
        }

        @Override
        public String toString() {
            return "exists " + FilterText.field(field);
        }
    }

    /**
     * Conjunction.
     *
     * @param parts all must be true; an empty list allows every passage
     */
    record And(List<Filter> parts) implements Filter {

        public And {
            parts = List.copyOf(parts);
        }

        @Override
        public Set<String> fields() {
            return FilterText.fields(parts);
        }

        @Override
        public boolean matches(Map<String, String> metadata) {
            return parts.stream().allMatch(part -> part.matches(metadata));
        }

        @Override
        public String toString() {
            return parts.isEmpty() ? "all" : FilterText.joined(" and ", parts, Set.of(And.class, Or.class));
        }
    }

    /**
     * Disjunction.
     *
     * @param parts at least one must be true; not empty
     */
    record Or(List<Filter> parts) implements Filter {

        public Or {
            parts = List.copyOf(parts);
            if (parts.isEmpty()) {
                throw new IllegalArgumentException("parts must hold at least one filter but was empty");
            }
        }

        @Override
        public Set<String> fields() {
            return FilterText.fields(parts);
        }

        @Override
        public boolean matches(Map<String, String> metadata) {
            return parts.stream().anyMatch(part -> part.matches(metadata));
        }

        @Override
        public String toString() {
            return FilterText.joined(" or ", parts, Set.of(Or.class));
        }
    }

    /**
     * Negation.
     *
     * @param part must be false
     */
    record Not(Filter part) implements Filter {

        @Override
        public Set<String> fields() {
            return part.fields();
        }

        @Override
        public boolean matches(Map<String, String> metadata) {
            return !part.matches(metadata);
        }

        @Override
        public String toString() {
            return "not " + FilterText.enclosed(part, Set.of(And.class, Or.class));
        }
    }
}
