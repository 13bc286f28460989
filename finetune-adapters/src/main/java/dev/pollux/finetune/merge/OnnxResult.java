package dev.pollux.finetune.merge;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.pollux.StorageException;
import dev.pollux.finetune.internal.model.InputModel;
import dev.pollux.finetune.internal.model.OnnxModel;
import dev.pollux.finetune.internal.model.OnnxModel.Initializer;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * Writes the merged ONNX model: the graph of the first model, with the weights as external data.
 *
 * <p>The external data is the safetensors file of the merge under another name; the graph's offsets skip its header. Data that
 * was not merged is appended. <em>Confined to one thread.</em>
 */
final class OnnxResult {

    private static final String WEIGHTS = "model.safetensors";
    private static final long LARGEST_TEXT = 64L << 20;
    private static final int ALIGNMENT = 64;
    private static final int WINDOW = 1 << 20;

    private final MergeLayout layout;
    private final OnnxModel donor;

    OnnxResult(MergeLayout layout) {
        this.layout = layout;
        this.donor = layout.donor()
                .flatMap(InputModel::onnx)
                .orElseThrow(() -> new IllegalStateException("the donor is an ONNX model"));
    }

    /** Returns options that write all weights to one file, to which the graph refers. */
    static MergeOptions options(MergeOptions options) {
        return options.toBuilder().shardBytes(Long.MAX_VALUE).build();
    }

    /** Writes the graph to the folder of the merged weights. */
    void write(Path folder) {
        String name = String.valueOf(donor.file().getFileName());
        Path data = folder.resolve(name + ".data");
        try {
            if (layout.tasks().isEmpty()) {
                Files.write(data, new byte[0]);
            } else {
                Files.move(folder.resolve(WEIGHTS), data, StandardCopyOption.REPLACE_EXISTING);
            }
            ModelProto model = model(data);
            try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(folder.resolve(name)))) {
                model.writeTo(out);
            }
            copyTexts(folder);
        } catch (IOException e) {
            throw new StorageException("Cannot write " + name + " into " + folder + ": " + e, e);
        }
    }

    private ModelProto model(Path data) throws IOException {
        Shards shards = Shards.of(layout.tasks(), Long.MAX_VALUE);
        Set<String> merged = new HashSet<>();
        layout.tasks().forEach(task -> merged.add(task.name()));
        GraphProto.Builder graph = GraphProto.newBuilder(donor.proto().getGraph());
        try (FileChannel channel = FileChannel.open(data, StandardOpenOption.WRITE)) {
            for (int i = 0; i < graph.getInitializerCount(); i++) {
                TensorProto tensor = graph.getInitializer(i);
                Initializer initializer =
                        Objects.requireNonNull(donor.initializers().get(tensor.getName()));
                if (merged.contains(tensor.getName())) {
                    long offset = shards.place(tensor.getName()).offset();
                    long length = initializer.elements() * initializer.type().blockBytes();
                    graph.setInitializer(i, pointer(tensor, data, offset, length));
                } else if (initializer.isExternal()) {
                    long at = (channel.size() + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
                    append(channel, at, initializer);
                    graph.setInitializer(i, pointer(tensor, data, at, initializer.length()));
                }
            }
            channel.force(false);
        }
        return ModelProto.newBuilder(donor.proto()).setGraph(graph).build();
    }

    private static void append(FileChannel channel, long at, Initializer initializer) throws IOException {
        for (long first = 0; first < initializer.length(); first += WINDOW) {
            ByteBuffer bytes = initializer.bytes(first, (int) Math.min(WINDOW, initializer.length() - first));
            for (long to = at + first; bytes.hasRemaining(); ) {
                to += channel.write(bytes, to);
            }
        }
    }

    private static TensorProto pointer(TensorProto tensor, Path data, long offset, long length) {
        return TensorProto.newBuilder()
                .setName(tensor.getName())
                .setDataType(tensor.getDataType())
                .addAllDims(tensor.getDimsList())
                .setDataLocation(TensorProto.DataLocation.EXTERNAL)
                .addExternalData(entry("location", String.valueOf(data.getFileName())))
                .addExternalData(entry("offset", Long.toString(offset)))
                .addExternalData(entry("length", Long.toString(length)))
                .build();
    }

    private static StringStringEntryProto entry(String key, String value) {
        return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
    }

    /** Copies the tokenizer, the configuration and other files if the input is a folder. */
    private void copyTexts(Path folder) throws IOException {
        Optional<Path> from = layout.donor().flatMap(InputModel::folder).filter(Files::isDirectory);
        if (from.isEmpty()) {
            return;
        }
        try (DirectoryStream<Path> files = Files.newDirectoryStream(from.get(), "*.{json,txt,jinja,model}")) {
            for (Path file : files) {
                if (Files.isRegularFile(file) && Files.size(file) <= LARGEST_TEXT) {
                    Files.copy(file, folder.resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
                }
            }
        }
    }
}
