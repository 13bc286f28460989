package dev.pollux.finetune.adapter;

import dev.pollux.inference.adapter.AdapterNames;
import dev.pollux.inference.adapter.LoraAdapter;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * The matrices that adapters of one base change, under the names of the first adapter.
 *
 * @param own maps that name to the name in each adapter, in order; empty where an adapter does not change the matrix
 */
record AdapterTargets(List<LoraAdapter> adapters, Map<String, List<Optional<String>>> own) {

    /** @throws IllegalArgumentException if one adapter treats a matrix as an embedding and another does not */
    static AdapterTargets of(List<LoraAdapter> adapters) {
        Set<String> all = new HashSet<>();
        for (LoraAdapter adapter : adapters) {
            AdapterNames known = AdapterNames.of(all);
            adapter.targets().stream()
                    .filter(target -> known.find(target).isEmpty())
                    .toList()
                    .forEach(all::add);
        }
        Map<String, List<Optional<String>>> own = new TreeMap<>();
        for (String target : all) {
            List<Optional<String>> names = new ArrayList<>();
            for (LoraAdapter adapter : adapters) {
                names.add(AdapterNames.of(adapter.targets()).find(target));
            }
            own.put(target, names);
        }
        AdapterTargets targets = new AdapterTargets(adapters, own);
        own.keySet().forEach(targets::requireOneKind);
        return targets;
    }

    private void requireOneKind(String target) {
        if (each(target, LoraAdapter::isEmbedding).distinct().count() > 1) {
            throw new IllegalArgumentException("Cannot merge " + target
                    + ": one adapter has factors of an embedding, another of a linear layer; merge adapters of"
                    + " one base");
        }
    }

    Set<String> names() {
        return own.keySet();
    }

    /** Whether the factors of a target are those of the transpose. */
    boolean isEmbedding(String target) {
        return each(target, LoraAdapter::isEmbedding).anyMatch(embedding -> embedding);
    }

    /** The change by each of the adapters, in their order. */
    List<Optional<Factors>> factors(String target) {
        List<Optional<Factors>> factors = new ArrayList<>();
        List<Optional<String>> names = own.getOrDefault(target, List.of());
        for (int i = 0; i < names.size(); i++) {
            factors.add(names.get(i).flatMap(adapters.get(i)::factors).map(Factors::of));
        }
        return factors;
    }

    private <T> java.util.stream.Stream<T> each(
            String target, java.util.function.BiFunction<LoraAdapter, String, T> of) {
        List<Optional<String>> names = own.getOrDefault(target, List.of());
        return java.util.stream.IntStream.range(0, names.size())
                .boxed()
                .flatMap(i -> names.get(i).map(name -> of.apply(adapters.get(i), name)).stream());
    }
}
