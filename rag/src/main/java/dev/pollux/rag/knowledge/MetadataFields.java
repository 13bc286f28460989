package dev.pollux.rag.knowledge;

import dev.pollux.internal.text.EditDistance;
import dev.pollux.rag.knowledge.MetadataField.Type;
import dev.pollux.retrieval.Filter;
import dev.pollux.retrieval.FilterValue;
import dev.pollux.retrieval.MetadataValue;
import java.time.LocalDate;
import java.util.Collection;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** The fields of the metadata of some documents. <em>Immutable.</em> */
final class MetadataFields {

    private static final FilterValue ZERO = FilterValue.of(0);
    private static final FilterValue DAY = FilterValue.of(LocalDate.EPOCH);

    private final Map<String, MetadataField> fields; // by name, sorted

    private MetadataFields(Map<String, MetadataField> fields) {
        this.fields = fields;
    }

    static MetadataFields of(Collection<Map<String, String>> documents) {
        Map<String, Set<Type>> types = new TreeMap<>();
        Map<String, Integer> counts = new TreeMap<>();
        for (Map<String, String> metadata : documents) {
            metadata.forEach((name, value) -> {
                types.computeIfAbsent(name, key -> EnumSet.noneOf(Type.class)).add(type(value));
                counts.merge(name, 1, Integer::sum);
            });
        }
        Map<String, MetadataField> fields = new TreeMap<>();
        types.forEach((name, found) -> fields.put(name, new MetadataField(name, found, counts.getOrDefault(name, 0))));
        return new MetadataFields(fields);
    }

    private static Type type(String value) {
        String plain = value.strip().toLowerCase(Locale.ROOT);
        if (plain.equals("true") || plain.equals("false")) {
            return Type.BOOLEAN;
        }
        if (ZERO.compare(value).isPresent()) {
            return Type.NUMBER;
        }
        if (DAY.compare(value).isPresent()) {
            return Type.DATE;
        }
        boolean list = MetadataValue.of(value) instanceof List<?> || value.indexOf(',') >= 0;
        return list ? Type.LIST : Type.TEXT;
    }

    List<MetadataField> all() {
        return List.copyOf(fields.values());
    }

    /**
     * Rejects a filter on a field that does not exist.
     *
     * @throws IllegalArgumentException with the nearest name
     */
    Filter checked(Filter filter) {
        for (String name : filter.fields().stream().sorted().toList()) {
            if (!fields.containsKey(name)) {
                throw new IllegalArgumentException("The filter names the field " + name + ", which no document has"
                        + nearest(name)
                                .map(known -> " (did you mean " + known + "?)")
                                .orElse("")
                        + (fields.isEmpty()
                                ? "; the documents have no metadata"
                                : "; the fields are " + String.join(", ", fields.keySet())));
            }
        }
        return filter;
    }

    private Optional<String> nearest(String name) {
        String plain = name.toLowerCase(Locale.ROOT);
        int most = Math.max(1, plain.length() / 3);
        return fields.keySet().stream()
                .collect(Collectors.toMap(
                        known -> known, known -> EditDistance.of(plain, known.toLowerCase(Locale.ROOT))))
                .entrySet()
                .stream()
                .filter(entry -> entry.getValue() <= most)
                .min(Map.Entry.<String, Integer>comparingByValue().thenComparing(Map.Entry.comparingByKey()))
                .map(Map.Entry::getKey);
    }
}
