package dev.pollux.inference.template;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/** Filters on sequences that order, group, join or cut them. */
final class SequenceFilters {

    private SequenceFilters() {}

    static void addTo(Map<String, Filters.Filter> all) {
        Filters.plain(all, "first", SequenceFilters::first);
        Filters.plain(all, "last", SequenceFilters::last);
        Filters.plain(all, "reverse", SequenceFilters::reverse);
        all.put("join", SequenceFilters::join);
        all.put("sort", SequenceFilters::sort);
        all.put("dictsort", SequenceFilters::dictSort);
        all.put("unique", SequenceFilters::unique);
        all.put("min", (in, value, args) -> extreme(in, value, args, "min"));
        all.put("max", (in, value, args) -> extreme(in, value, args, "max"));
        all.put("groupby", SequenceFilters::groupBy);
        all.put("batch", SequenceFilters::batch);
        all.put("slice", SequenceFilters::slice);
        all.put("sum", SequenceFilters::sum);
        all.put("random", (in, value, args) -> {
            throw Failure.of("the filter random is not available: the same input must give the same text");
        });
    }

    private static Object first(Interpreter in, Object value) {
        Iterator<Object> items = Filters.iterate(in, value);
        return items.hasNext() ? items.next() : new Undefined("No first item, sequence was empty.");
    }

    private static Object last(Interpreter in, Object value) {
        List<Object> items = reversible(in, value);
        return items.isEmpty() ? new Undefined("No last item, sequence was empty.") : items.get(items.size() - 1);
    }

    private static List<Object> reversible(Interpreter in, Object value) {
        if (value instanceof Lazy || !Iteration.isIterable(value)) {
            throw Failure.of("TypeError: '" + Types.name(value) + "' object is not reversible");
        }
        return Types.isListOrTuple(value) ? Types.items(value) : Iteration.list(value, in.budget());
    }

    private static Object reverse(Interpreter in, Object value) {
        if (Types.isString(value)) {
            return in.operators().slice(value, None.NONE, None.NONE, -1L);
        } else if (value instanceof Lazy) {
            return in.operators().reversed(Iteration.list(value, in.budget()));
        }
        String type = value instanceof List ? "list_reverseiterator" : "reversed";
        return new Lazy(type, in.operators().reversed(reversible(in, value)).iterator());
    }

    private static Object join(Interpreter in, Object value, Arguments arguments) {
        Arguments.Bound given = arguments.bind("join", "d", "attribute");
        Function<Object, Object> getter = Filters.getter(in, given.or(1, None.NONE), Optional.empty());
        String separator = in.printer().str(given.or(0, ""));
        TextBuilder out = new TextBuilder(in.budget());
        Iterator<Object> items = Filters.iterate(in, value);
        while (items.hasNext()) {
            out.append(in.printer().str(getter.apply(items.next())));
            if (items.hasNext()) {
                out.append(separator);
            }
        }
        return out.toString();
    }

    private static Object sort(Interpreter in, Object value, Arguments arguments) {
        Arguments.Bound given = arguments.bind("sort", "reverse", "case_sensitive", "attribute");
        boolean caseSensitive = given.truth(1, false);
        Object attribute = given.or(2, None.NONE);
        List<Function<Object, Object>> getters = new ArrayList<>();
        if (Types.isString(attribute)) {
            for (String part : Types.text(attribute).split(",", -1)) {
                getters.add(Filters.getter(in, part, Optional.empty()));
            }
        } else {
            getters.add(Filters.getter(in, attribute, Optional.empty()));
        }
        return sorted(
                in,
                Iteration.list(value, in.budget()),
                given.truth(0, false),
                item -> getters.stream()
                        .map(getter -> Filters.fold(getter.apply(item), caseSensitive))
                        .toList());
    }

    private record Keyed(Object key, Object item) {}

    /** A stable sort; reversed, equal items still keep their order. */
    private static List<Object> sorted(
            Interpreter in, List<Object> items, boolean reverse, Function<Object, Object> key) {
        List<Keyed> keyed = new ArrayList<>(items.size());
        items.forEach(item -> keyed.add(new Keyed(key.apply(item), item)));
        Comparator<Keyed> order = (a, b) -> in.comparison().compare(a.key(), b.key(), "<");
        in.comparison().sort(keyed, reverse ? order.reversed() : order);
        return new ArrayList<>(keyed.stream().map(Keyed::item).toList());
    }

    private static Object dictSort(Interpreter in, Object value, Arguments arguments) {
        Arguments.Bound given = arguments.bind("dictsort", "case_sensitive", "by", "reverse");
        int part = List.of("key", "value").indexOf(given.text(1, "key"));
        if (part < 0) {
            throw Failure.of("dictsort sorts by 'key' or 'value' but by was '" + given.text(1) + "'");
        }
        if (!(value instanceof Dict dict)) {
            throw value instanceof Undefined undefined
                    ? undefined.failure()
                    : Failure.of("TypeError: dictsort needs a mapping, not " + Types.name(value));
        }
        boolean caseSensitive = given.truth(0, false);
        in.budget().allocate(dict.size());
        return sorted(
                in,
                dict.pairs(),
                given.truth(2, false),
                pair -> Filters.fold(Types.items(pair).get(part), caseSensitive));
    }

    private static Object unique(Interpreter in, Object value, Arguments arguments) {
        Arguments.Bound given = arguments.bind("unique", "case_sensitive", "attribute");
        Function<Object, Object> getter = Filters.getter(in, given.or(1, None.NONE), Optional.empty());
        boolean caseSensitive = given.truth(0, false);
        Iterator<Object> items = Filters.iterate(in, value);
        Set<Object> seen = new HashSet<>();
        return Lazy.generator(new Lookahead(() -> {
            while (items.hasNext()) {
                Object item = items.next();
                in.budget().allocate(1);
                if (seen.add(in.comparison().key(Filters.fold(getter.apply(item), caseSensitive)))) {
                    return item;
                }
            }
            return null;
        }));
    }

    private static Object extreme(Interpreter in, Object value, Arguments arguments, String name) {
        Arguments.Bound given = arguments.bind(name, "case_sensitive", "attribute");
        Function<Object, Object> getter = Filters.getter(in, given.or(1, None.NONE), Optional.empty());
        boolean caseSensitive = given.truth(0, false);
        String operator = name.equals("min") ? "<" : ">";
        Iterator<Object> items = Filters.iterate(in, value);
        if (!items.hasNext()) {
            return new Undefined("No aggregated item, sequence was empty.");
        }
        Object best = items.next();
        Object bestKey = Filters.fold(getter.apply(best), caseSensitive);
        while (items.hasNext()) {
            Object item = items.next();
            Object key = Filters.fold(getter.apply(item), caseSensitive);
            if (in.comparison().ordered(key, operator, bestKey)) {
                best = item;
                bestKey = key;
            }
        }
        return best;
    }

    private static Object groupBy(Interpreter in, Object value, Arguments arguments) {
        Arguments.Bound given = arguments.bind("groupby", "attribute", "default", "case_sensitive");
        Optional<Object> fallback = given.hasValue(1) ? Optional.of(given.required(1)) : Optional.empty();
        Function<Object, Object> getter = Filters.getter(in, given.required(0), fallback);
        boolean caseSensitive = given.truth(2, false);
        Function<Object, Object> key = item -> Filters.fold(getter.apply(item), caseSensitive);
        List<Object> groups = new ArrayList<>();
        List<Object> group = new ArrayList<>();
        for (Object item : sorted(in, Iteration.list(value, in.budget()), false, key)) {
            if (!group.isEmpty() && !in.comparison().equal(key.apply(group.get(0)), key.apply(item))) {
                groups.add(new Tuple(List.of(getter.apply(group.get(0)), group), true));
                group = new ArrayList<>();
            }
            group.add(item);
        }
        if (!group.isEmpty()) {
            groups.add(new Tuple(List.of(getter.apply(group.get(0)), group), true));
        }
        return groups;
    }

    private static Object batch(Interpreter in, Object value, Arguments arguments) {
        Arguments.Bound given = arguments.bind("batch", "linecount", "fill_with");
        given.required(0);
        int size = given.integer(0, 0);
        Iterator<Object> items = Filters.iterate(in, value);
        return Lazy.generator(new Lookahead(() -> {
            if (!items.hasNext()) {
                return null;
            }
            List<Object> row = new ArrayList<>(List.of(items.next()));
            // Jinja2 compares for equality, so a size below one never fills a row.
            while (items.hasNext() && row.size() != size) {
                row.add(items.next());
            }
            if (given.hasValue(1) && row.size() < size) {
                in.budget().allocate(size - row.size());
                while (row.size() < size) {
                    row.add(given.required(1));
                }
            }
            in.budget().allocate(row.size());
            return row;
        }));
    }

    private static Object slice(Interpreter in, Object value, Arguments arguments) {
        Arguments.Bound given = arguments.bind("slice", "slices", "fill_with");
        given.required(0);
        int count = given.integer(0, 0);
        List<Object> items = Iteration.list(value, in.budget());
        if (count == 0) {
            throw Failure.of("ZeroDivisionError: integer division or modulo by zero");
        }
        int size = Math.floorDiv(items.size(), count);
        int longer = Math.floorMod(items.size(), count);
        int[] slice = {0};
        return Lazy.generator(new Lookahead(() -> {
            int n = slice[0]++;
            if (n >= count) {
                return null;
            }
            in.budget().allocate(size + 2L);
            int from = n * size + Math.min(n, longer);
            List<Object> part = new ArrayList<>(items.subList(from, from + size + (n < longer ? 1 : 0)));
            if (given.hasValue(1) && n >= longer) {
                part.add(given.required(1));
            }
            return part;
        }));
    }

    private static Object sum(Interpreter in, Object value, Arguments arguments) {
        Arguments.Bound given = arguments.bind("sum", "attribute", "start");
        Function<Object, Object> getter = Filters.getter(in, given.or(0, None.NONE), Optional.empty());
        Object sum = given.or(1, 0L);
        if (Types.isString(sum)) {
            throw Failure.of("TypeError: sum() can't sum strings; use join");
        }
        Iterator<Object> items = Filters.iterate(in, value);
        while (items.hasNext()) {
            sum = in.operators().binary("+", sum, getter.apply(items.next()));
        }
        return sum;
    }
}
