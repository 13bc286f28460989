package dev.pollux.finetune.merge;

import dev.pollux.inference.internal.ObjectNode;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Assigns each tensor of a result to a file and an offset. Tensors are in the order of names; a new file begins when a tensor
 * does not fit.
 *
 * <p>All sizes are known before the first byte is written, so names and offsets are final from the start.
 */
final class Shards {

    private static final int ALIGNMENT = 8;

    /**
     * A file.
     *
     * @param header bytes 0–7: length of the JSON, little-endian; from byte 8: the JSON, padded with spaces
     * @param size the size in bytes, with the header
     */
    record Shard(String file, List<TensorTask> tasks, byte[] header, long size) {}

    /** The location of a tensor. */
    record Place(int shard, long offset) {}

    private final List<Shard> shards = new ArrayList<>();
    private final Map<String, Place> places = new LinkedHashMap<>();

    private Shards() {}

    /**
     * @param tasks the tasks, sorted by name
     * @param most the maximum bytes of tensors in one file; a larger tensor gets its own file
     */
    static Shards of(List<TensorTask> tasks, long most) {
        List<List<TensorTask>> files = new ArrayList<>();
        long size = 0;
        for (TensorTask task : tasks) {
            if (files.isEmpty() || size + task.bytes() > most && size > 0) {
                files.add(new ArrayList<>());
                size = 0;
            }
            files.get(files.size() - 1).add(task);
            size += task.bytes();
        }
        Shards shards = new Shards();
        for (int i = 0; i < files.size(); i++) {
            String name = files.size() == 1
                    ? "model.safetensors"
                    : String.format(java.util.Locale.ROOT, "model-%05d-of-%05d.safetensors", i + 1, files.size());
            shards.add(name, files.get(i));
        }
        return shards;
    }

    private void add(String file, List<TensorTask> tasks) {
        ObjectNode json = new ObjectNode();
        json.putObject("__metadata__").put("format", "pt");
        long end = 0;
        for (TensorTask task : tasks) {
            ObjectNode entry = json.putObject(task.name());
            entry.put("dtype", task.type().name());
            var shape = entry.putArray("shape");
            task.shape().forEach(size -> shape.add(size.longValue()));
            entry.putArray("data_offsets").add(end).add(end + task.bytes());
            end += task.bytes();
        }
        byte[] text = json.toString().getBytes(StandardCharsets.UTF_8);
        int padded = (text.length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        ByteBuffer header = ByteBuffer.allocate(8 + padded).order(java.nio.ByteOrder.LITTLE_ENDIAN);
        header.putLong(padded).put(text);
        while (header.hasRemaining()) {
            header.put((byte) ' ');
        }
        long at = header.capacity();
        for (TensorTask task : tasks) {
            places.put(task.name(), new Place(shards.size(), at));
            at += task.bytes();
        }
        shards.add(new Shard(file, List.copyOf(tasks), header.array(), at));
    }

    List<Shard> files() {
        return shards;
    }

    Place place(String tensor) {
        return Objects.requireNonNull(places.get(tensor));
    }

    String fileOf(String tensor) {
        return shards.get(place(tensor).shard()).file();
    }

    /** The index for a folder with several files. */
    ObjectNode index() {
        ObjectNode json = new ObjectNode();
        long total = shards.stream()
                .flatMap(shard -> shard.tasks().stream())
                .mapToLong(TensorTask::bytes)
                .sum();
        json.putObject("metadata").put("total_size", total);
        ObjectNode map = json.putObject("weight_map");
        places.forEach((name, place) -> map.put(name, shards.get(place.shard()).file()));
        return json;
    }
}
