package dev.pollux.inference.engine;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.engine.PrefixStore.Scope;
import dev.pollux.internal.Sha256;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A file of stored prefixes: what was read of some texts, for the next start of a program. */
final class PrefixFile {

    /*
     * Little-endian: magic (8 bytes), identity (32), tokens of a block (4), bytes of a block (4), number of blocks n (4); then of each
     * block the index of its parent, which is smaller than its own, or -1 (4), its tokens (4 each) and its rows; at the end the SHA-256
     * of everything before (32).
     *
     * The identity is a hash of the model's files and of everything else that the bits of a row depend on. All fields are checked
     * before the first block is stored: the identity first, so that a file of another model gets its own message, then the size,
     * which follows from n, then the checksum, then parents and tokens. The file has the rows of users' texts, from which the texts
     * can be recovered, so only the owner may read it.
     */

    private static final byte[] MAGIC = {'P', 'O', 'L', 'L', 'U', 'X', 'P', '1'};
    private static final int HASH = 32;
    private static final int HEADER = MAGIC.length + HASH + 3 * Integer.BYTES;

    private final PrefixStore store;
    private final Scope scope;
    private final byte[] identity;
    private final int vocabulary;

    /** @param identity a hash of the model and its runtime, in hexadecimal digits */
    PrefixFile(PrefixStore store, Scope scope, String identity, int vocabulary) {
        this.store = store;
        this.scope = scope;
        this.identity = HexFormat.of().parseHex(identity);
        this.vocabulary = vocabulary;
    }

    private int blockBytes() {
        return (1 + PrefixStore.BLOCK) * Integer.BYTES + store.blockBytes();
    }

    /** Writes all blocks of the scope. An existing file is replaced when the new one is complete. */
    void write(Path file) {
        List<PrefixBlock> blocks = store.hold(scope);
        try {
            Path folder = Files.createDirectories(file.toAbsolutePath().getParent());
            Path part =
                    Files.createTempFile(folder, file.getFileName().toString(), ".part"); // only the owner may read it
            try {
                write(part, blocks);
                Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
            } finally {
                Files.deleteIfExists(part);
            }
            if (Files.getFileStore(file).supportsFileAttributeView("posix")) {
                Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
            }
        } catch (IOException e) {
            throw new StorageException("Cannot write the prefixes to " + file + ": " + e, e);
        } finally {
            store.release(blocks);
        }
    }

    private void write(Path part, List<PrefixBlock> blocks) throws IOException {
        MessageDigest digest = Sha256.digest();
        try (FileChannel channel = FileChannel.open(part, StandardOpenOption.WRITE)) {
            ByteBuffer header = ByteBuffer.allocate(HEADER).order(ByteOrder.LITTLE_ENDIAN);
            header.put(MAGIC).put(identity).putInt(PrefixStore.BLOCK).putInt(store.blockBytes());
            put(channel, digest, header.putInt(blocks.size()).flip());
            Map<PrefixBlock, Integer> indices = new HashMap<>();
            for (PrefixBlock block : blocks) {
                ByteBuffer fields = ByteBuffer.allocate((1 + PrefixStore.BLOCK) * Integer.BYTES)
                        .order(ByteOrder.LITTLE_ENDIAN);
                fields.putInt(indices.getOrDefault(block.parent(), -1));
                for (int token : block.tokens()) {
                    fields.putInt(token);
                }
                put(channel, digest, fields.flip());
                put(channel, digest, block.rows().duplicate().clear());
                indices.put(block, indices.size());
            }
            ByteBuffer sum = ByteBuffer.wrap(digest.digest());
            while (sum.hasRemaining()) {
                channel.write(sum);
            }
        }
    }

    private static void put(FileChannel channel, MessageDigest digest, ByteBuffer bytes) throws IOException {
        digest.update(bytes.duplicate());
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    /**
     * Stores the blocks of a file.
     *
     * @return the number of tokens stored; less than in the file if the budget is too small
     */
    int read(Path file) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            int count = header(file, channel);
            checksum(file, channel);
            return blocks(file, channel, count);
        } catch (IOException e) {
            throw new StorageException("Cannot read the prefixes in " + file + ": " + e, e);
        }
    }

    private int header(Path file, FileChannel channel) throws IOException {
        ByteBuffer header = map(channel, 0, Math.min(HEADER, channel.size()));
        byte[] magic = new byte[MAGIC.length];
        byte[] model = new byte[HASH];
        header.get(magic, 0, Math.min(magic.length, header.remaining()));
        if (!Arrays.equals(magic, MAGIC) || header.remaining() < HEADER - MAGIC.length) {
            throw damaged(file, "it does not begin as a file of prefixes");
        }
        header.get(model);
        if (!Arrays.equals(model, identity)) {
            throw new UnsupportedModelException(
                    "The prefixes in " + file
                            + " are of another model, runtime, processor or chunk size than this generator; save them again with it");
        }
        int tokens = header.getInt();
        int bytes = header.getInt();
        int count = header.getInt();
        if (tokens != PrefixStore.BLOCK || bytes != store.blockBytes() || count < 0) {
            throw damaged(
                    file, "its header gives " + count + " blocks of " + tokens + " tokens and " + bytes + " bytes");
        }
        long due = HEADER + (long) count * blockBytes() + HASH;
        if (channel.size() != due) {
            throw damaged(file, "it has " + channel.size() + " bytes, not " + due);
        }
        return count;
    }

    private static void checksum(Path file, FileChannel channel) throws IOException {
        MessageDigest digest = Sha256.digest();
        long end = channel.size() - HASH;
        for (long at = 0; at < end; ) {
            long size = Math.min(64L << 20, end - at);
            digest.update(map(channel, at, size));
            at += size;
        }
        byte[] due = new byte[HASH];
        map(channel, end, HASH).get(due);
        if (!MessageDigest.isEqual(due, digest.digest())) {
            throw damaged(file, "its checksum does not match");
        }
    }

    private int blocks(Path file, FileChannel channel, int count) throws IOException {
        for (int i = 0; i < count; i++) {
            check(file, i, fields(channel, i));
        }
        List<Optional<PrefixBlock>> blocks = new ArrayList<>();
        try {
            for (int i = 0; i < count; i++) {
                ByteBuffer fields = fields(channel, i);
                int parent = fields.getInt();
                int[] tokens = new int[PrefixStore.BLOCK];
                for (int t = 0; t < tokens.length; t++) {
                    tokens[t] = fields.getInt();
                }
                Optional<PrefixBlock> before = parent < 0 ? Optional.empty() : blocks.get(parent);
                blocks.add(
                        parent >= 0 && before.isEmpty()
                                ? Optional.empty()
                                : store.hold(
                                        scope,
                                        before.orElse(null),
                                        tokens,
                                        rows -> rows.clear().put(fields).clear()));
            }
        } finally {
            store.release(blocks.stream().flatMap(Optional::stream).toList());
        }
        return (int) blocks.stream().filter(Optional::isPresent).count() * PrefixStore.BLOCK;
    }

    private void check(Path file, int index, ByteBuffer fields) {
        int parent = fields.getInt();
        if (parent < -1 || parent >= index) {
            throw damaged(file, "block " + index + " follows block " + parent);
        }
        for (int t = 0; t < PrefixStore.BLOCK; t++) {
            int token = fields.getInt();
            if (token < 0 || token >= vocabulary) {
                throw damaged(file, "block " + index + " has the token " + token + " of a vocabulary of " + vocabulary);
            }
        }
    }

    private ByteBuffer fields(FileChannel channel, int index) throws IOException {
        return map(channel, HEADER + (long) index * blockBytes(), blockBytes());
    }

    private static ByteBuffer map(FileChannel channel, long at, long size) throws IOException {
        return channel.map(FileChannel.MapMode.READ_ONLY, at, size).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static MalformedFileException damaged(Path file, String what) {
        return new MalformedFileException(
                "The prefixes in " + file + " are damaged: " + what + "; delete the file and save the prefixes again");
    }
}
