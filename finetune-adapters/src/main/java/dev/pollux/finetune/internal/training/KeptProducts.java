package dev.pollux.finetune.internal.training;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Results of products that wait for the backward pass, by layer and name, within a number of bytes that all rows share.
 * <em>Confined to one thread.</em>
 */
final class KeptProducts {

    private final long most;
    private long used;

    KeptProducts(long most) {
        this.most = most;
    }

    /** Those of one row. */
    Row row() {
        return new Row();
    }

    /** Those of one row. */
    final class Row implements AutoCloseable {

        private final Map<Integer, Map<String, FloatTensor>> byLayer = new HashMap<>();
        private long own;

        /** Whether the results of a layer fit; then their bytes are taken. */
        boolean fits(long bytes) {
            if (bytes == 0 || bytes > most - used) {
                return false;
            }
            used += bytes;
            own += bytes;
            return true;
        }

        /** Takes over results of a layer. */
        void keep(int layer, Map<String, FloatTensor> results) {
            byLayer.computeIfAbsent(layer, key -> new HashMap<>()).putAll(results);
        }

        /** The results of a layer; empty if they are computed again. */
        Map<String, FloatTensor> of(int layer) {
            return byLayer.getOrDefault(layer, Map.of());
        }

        /** Releases those of a layer, which its backward pass has read. */
        void release(int layer) {
            of(layer).values().forEach(FloatTensor::close);
            byLayer.remove(layer);
        }

        /** Releases all. Idempotent. */
        @Override
        public void close() {
            List.copyOf(byLayer.keySet()).forEach(this::release);
            used -= own;
            own = 0;
        }
    }
}
