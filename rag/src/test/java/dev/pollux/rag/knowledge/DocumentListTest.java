package dev.pollux.rag.knowledge;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class DocumentListTest {

    private static final long SEED = 20_261_201;

    @Test
    void theHashIsThatOfTheSortedIdsWithTheirHashes() {
        Random random = new Random(SEED);
        for (int size : new int[] {0, 1, 2, 3, 31, 32, 33, 1_000}) {
            DocumentList list = new DocumentList();
            Map<String, String> sorted = new TreeMap<>();
            while (sorted.size() < size) {
                StringBuilder id = new StringBuilder("d");
                for (int i = random.nextInt(6); i >= 0; i--) {
                    id.append((char) random.nextInt(0xD800)).appendCodePoint(0x1F34E + random.nextInt(9));
                }
                String hash = Hashes.of("text " + sorted.size());
                if (sorted.putIfAbsent(id.toString(), hash) == null) {
                    list.add(id.toString(), hash, 3);
                }
            }
            List<String> texts = new ArrayList<>();
            sorted.forEach((id, hash) -> texts.addAll(List.of(id, hash)));
            assertThat(list.hash())
                    .as("seed " + SEED + ", " + size + " documents")
                    .isEqualTo(Hashes.of(texts.toArray(String[]::new)));
            assertThat(list.units()).isEqualTo(3L * size);
        }
    }
}
