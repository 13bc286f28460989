package dev.pollux.finetune.train;

import dev.pollux.StorageException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32C;

/**
 * Steps of a run as an event file of TensorBoard. Each step is in the file when {@link #add} returns. <em>Not thread-safe: one
 * thread at a time.</em>
 */
public final class TensorBoardLog implements AutoCloseable {

    /*
     * The file is a sequence of records, little-endian:
     *
     *   length   8 bytes
     *   check    4 bytes, of the length
     *   event    protobuf: 1 wall time (double, s), 2 step (varint), 3 version (string), 5 summary
     *   check    4 bytes, of the event
     *
     * A summary has a value (1) for each measure, with a tag (1) and a number (2, float). A check is the CRC-32C, rotated right by 15
     * bits, plus a constant. The first event has the version alone.
     */

    private static final String VERSION = "brain.Event:2";
    private static final int CHECK_DELTA = 0xa282ead8;
    private static final int VARINT = 0;
    private static final int DOUBLE = 1;
    private static final int BYTES = 2;
    private static final int FLOAT = 5;

    private final Path file;
    private final OutputStream out;
    private final Clock clock;

    private TensorBoardLog(Path file, OutputStream out, Clock clock) {
        this.file = file;
        this.out = out;
        this.clock = clock;
    }

    /**
     * Begins a new event file.
     *
     * @param folder as TensorBoard is given it by {@code --logdir}; created if it does not exist
     * @throws StorageException if the file cannot be written
     */
    public static TensorBoardLog create(Path folder) {
        return create(folder, Clock.systemUTC());
    }

    static TensorBoardLog create(Path folder, Clock clock) {
        Path file = folder.resolve("events.out.tfevents." + clock.millis() + ".pollux");
        try {
            Files.createDirectories(folder);
            OutputStream out = Files.newOutputStream(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
            TensorBoardLog log = new TensorBoardLog(file, out, clock);
            ByteArrayOutputStream event = new ByteArrayOutputStream();
            number(event, 1, log.seconds());
            bytes(event, 3, VERSION.getBytes(StandardCharsets.UTF_8));
            log.write(event.toByteArray());
            return log;
        } catch (IOException e) {
            throw new StorageException("Cannot write " + file + ": " + e, e);
        }
    }

    /** The event file. */
    public Path file() {
        return file;
    }

    /** Appends the measures of a step. */
    public void add(TrainingStep step) {
        Map<String, Double> measures = new TreeMap<>();
        measures.put("train/loss", step.loss());
        measures.put("train/grad_norm", step.gradientNorm());
        measures.put("train/learning_rate", step.learningRate());
        measures.put("train/epoch", step.epoch());
        measures.put("train/num_tokens", (double) step.tokens());
        step.metrics().forEach((name, value) -> measures.put("train/" + name, value));
        ByteArrayOutputStream summary = new ByteArrayOutputStream();
        measures.forEach((name, value) -> {
            ByteArrayOutputStream one = new ByteArrayOutputStream();
            bytes(one, 1, name.getBytes(StandardCharsets.UTF_8));
            key(one, 2, FLOAT);
            one.writeBytes(little(Float.BYTES).putFloat(value.floatValue()).array());
            bytes(summary, 1, one.toByteArray());
        });
        ByteArrayOutputStream event = new ByteArrayOutputStream();
        number(event, 1, seconds());
        key(event, 2, VARINT);
        varint(event, step.step());
        bytes(event, 5, summary.toByteArray());
        try {
            write(event.toByteArray());
        } catch (IOException e) {
            throw new StorageException("Cannot write " + file + ": " + e, e);
        }
    }

    private double seconds() {
        return clock.millis() / 1e3;
    }

    private void write(byte[] event) throws IOException {
        byte[] length = little(Long.BYTES).putLong(event.length).array();
        out.write(length);
        out.write(check(length));
        out.write(event);
        out.write(check(event));
        out.flush();
    }

    private static byte[] check(byte[] bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes);
        return little(Integer.BYTES)
                .putInt(Integer.rotateRight((int) crc.getValue(), 15) + CHECK_DELTA)
                .array();
    }

    private static ByteBuffer little(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static void key(ByteArrayOutputStream out, int field, int type) {
        varint(out, (long) field << 3 | type);
    }

    private static void number(ByteArrayOutputStream out, int field, double value) {
        key(out, field, DOUBLE);
        out.writeBytes(little(Double.BYTES).putDouble(value).array());
    }

    private static void bytes(ByteArrayOutputStream out, int field, byte[] value) {
        key(out, field, BYTES);
        varint(out, value.length);
        out.writeBytes(value);
    }

    private static void varint(ByteArrayOutputStream out, long value) {
        long left = value;
        while ((left & ~0x7FL) != 0) {
            out.write((int) (left & 0x7F | 0x80));
            left >>>= 7;
        }
        out.write((int) left);
    }

    /**
     * Closes the file. Idempotent.
     *
     * @throws StorageException if it cannot be written
     */
    @Override
    public void close() {
        try {
            out.close();
        } catch (IOException e) {
            throw new StorageException("Cannot write " + file + ": " + e, e);
        }
    }
}
