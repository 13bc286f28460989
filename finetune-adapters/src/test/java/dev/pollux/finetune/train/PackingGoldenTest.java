package dev.pollux.finetune.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.finetune.internal.training.TokenBatch.Sequence;
import dev.pollux.inference.internal.JsonFile;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.testkit.ReferenceData;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Rows are packed as TRL packs them. */
class PackingGoldenTest {

    private static Packing packing(String strategy) {
        return switch (strategy) {
            case "bfd" -> Packing.BEST_FIT;
            case "bfd_split" -> Packing.SPLIT;
            default -> Packing.WRAPPED;
        };
    }

    private static List<Integer> numbers(JsonNode list) {
        List<Integer> numbers = new ArrayList<>();
        list.forEach(one -> numbers.add(one.asInt(0)));
        return numbers;
    }

    private static List<List<Integer>> rows(JsonNode lists) {
        List<List<Integer>> rows = new ArrayList<>();
        lists.forEach(one -> rows.add(numbers(one)));
        return rows;
    }

    private static void check(JsonNode one) {
        int capacity = one.path("max_length").asInt(0);
        Packing packing = packing(one.path("strategy").asString(""));
        List<Sequence> documents = new ArrayList<>();
        int token = 0;
        for (int length : numbers(one.path("lengths"))) {
            int[] ids = new int[length];
            for (int i = 0; i < length; i++) {
                ids[i] = ++token;
            }
            Sequence whole = new Sequence(ids, new boolean[length]);
            documents.add(
                    packing.splits() ? whole : new RowTokenizer.Tokens(ids, new boolean[length], 0).cut(capacity));
        }
        List<List<Integer>> rows = new ArrayList<>();
        List<List<Integer>> lengths = new ArrayList<>();
        for (List<Sequence> row : Packer.pack(documents, capacity, packing)) {
            List<Integer> ids = new ArrayList<>();
            row.forEach(sequence -> {
                for (int id : sequence.ids()) {
                    ids.add(id);
                }
            });
            rows.add(ids);
            lengths.add(row.stream().map(sequence -> sequence.ids().length).toList());
        }
        assertThat(rows).isEqualTo(rows(one.path("rows")));
        if (one.hasNonNull("seq_lengths")) {
            assertThat(lengths).isEqualTo(rows(one.path("seq_lengths")));
        }
    }

    @TestFactory
    Stream<DynamicTest> packing() {
        List<DynamicTest> tests = new ArrayList<>();
        for (JsonNode one : JsonFile.object(
                        ReferenceData.golden("finetune/chat").resolve("packing.json"))
                .orElseThrow()
                .path("cases")) {
            tests.add(DynamicTest.dynamicTest(
                    tests.size() + " " + one.path("strategy").asString(""), () -> check(one)));
        }
        return tests.stream();
    }
}
