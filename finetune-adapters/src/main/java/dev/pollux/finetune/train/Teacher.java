package dev.pollux.finetune.train;

import dev.pollux.StorageException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.artifact.ArtifactCache;
import dev.pollux.finetune.internal.training.Kept;
import dev.pollux.finetune.internal.training.ModelPair;
import dev.pollux.finetune.internal.training.TeacherLoss;
import dev.pollux.finetune.internal.training.TeacherModel;
import dev.pollux.finetune.internal.training.TokenBatch;
import dev.pollux.finetune.internal.training.TokenBatch.Sequence;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.tokenizer.Tokenizer;
import dev.pollux.internal.Sha256;
import dev.pollux.job.JobContext;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A teacher in a run, with what it said about each sequence on disk. The caller closes it. <em>Confined to one thread.</em> */
final class Teacher implements AutoCloseable {

    /*
     * Files <cache>/teachers/<key of the teacher>/<key of the sequence>.f32, each with (targets, hidden) little-endian 32-bit floats:
     * the stream after the last layer at the predicted tokens. The key of the teacher is a hash of its files, that of the sequence
     * one of its tokens and of which are predicted. A sequence is run by itself, so that its numbers do not depend on the rows
     * that are read with it, and a run that continues reads the same bits.
     */

    private static final String FOLDER = "teachers";
    private static final int KEY_DIGITS = 32;

    private final TeacherModel model;
    private final Path folder;

    /**
     * Where a teacher comes from.
     *
     * @param checkpoint the teacher, open as long as a run
     * @param cache the folder of what it said
     */
    record Source(Checkpoint checkpoint, Path cache) {

        /**
         * Opens it for a run.
         *
         * @param mostTokens the largest number of tokens in one row
         */
        Teacher open(DistillationOptions loss, TrainingOptions options, int mostTokens) {
            String key = ArtifactCache.in(cache, "").contentHash(checkpoint.files(), JobContext.NONE);
            ModelPair.Setting setting = new ModelPair.Setting(
                    checkpoint.config(),
                    checkpoint.settings(),
                    checkpoint.tensors(),
                    mostTokens,
                    options.threads(),
                    options.weightMemory(),
                    Kept.NOTHING);
            TeacherModel model = new TeacherModel(setting, new TeacherLoss(loss.beta(), loss.temperature()));
            return new Teacher(model, cache.resolve(FOLDER).resolve(key.substring(0, KEY_DIGITS)));
        }

        /** Refuses a teacher that reads tokens otherwise. Ids that one of both does not use may differ. */
        void requireSame(Checkpoint student) {
            Optional<Tokenizer> mine = student.tokenizer();
            Optional<Tokenizer> theirs = checkpoint.tokenizer();
            try {
                if (mine.isPresent() && theirs.isPresent()) {
                    requireSame(student, mine.get(), theirs.get());
                }
            } finally {
                mine.ifPresent(Tokenizer::close);
                theirs.ifPresent(Tokenizer::close);
            }
            int wanted = student.config().vocabularySize();
            int has = checkpoint.config().vocabularySize();
            if (has < wanted) {
                throw new UnsupportedModelException("The teacher " + checkpoint.path() + " must predict at least the "
                        + wanted + " tokens of " + student.path() + " but predicts " + has
                        + "; choose a teacher of the same family");
            }
        }

        private void requireSame(Checkpoint student, Tokenizer mine, Tokenizer theirs) {
            int common = Math.min(mine.vocabularySize(), theirs.vocabularySize());
            for (int id = 0; id < common; id++) {
                String one = mine.tokenOf(id);
                String other = theirs.tokenOf(id);
                if (!one.equals(other) && !one.isEmpty() && !other.isEmpty()) {
                    throw new UnsupportedModelException("The teacher " + checkpoint.path()
                            + " must have the tokenizer of " + student.path() + ", but token " + id + " is '" + other
                            + "' and not '" + one + "'; choose a teacher of the same family");
                }
            }
        }
    }

    private Teacher(TeacherModel model, Path folder) {
        this.model = model;
        this.folder = folder;
    }

    TeacherModel model() {
        return model;
    }

    /** What it says about the predicted tokens of sequences one after the other, (targets, width). */
    float[] of(List<Sequence> sequences, JobContext context) {
        List<float[]> parts = new ArrayList<>();
        for (Sequence one : sequences) {
            parts.add(of(one, context));
        }
        float[] all = new float[parts.stream().mapToInt(part -> part.length).sum()];
        int at = 0;
        for (float[] part : parts) {
            System.arraycopy(part, 0, all, at, part.length);
            at += part.length;
        }
        return all;
    }

    private float[] of(Sequence one, JobContext context) {
        Path file = folder.resolve(key(one) + ".f32");
        int count = one.targets() * model.width();
        try {
            if (Files.isRegularFile(file)) {
                ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
                if (bytes.remaining() == count * Float.BYTES) {
                    float[] states = new float[count];
                    bytes.asFloatBuffer().get(states);
                    return states;
                }
            }
        } catch (IOException e) {
            throw new StorageException("Cannot read " + file + ": " + e + "; delete it", e);
        }
        float[] states = model.states(TokenBatch.of(List.of(one)), context);
        write(file, states);
        return states;
    }

    private void write(Path file, float[] states) {
        ByteBuffer bytes = ByteBuffer.allocate(states.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(states);
        try {
            Files.createDirectories(folder);
            Path part = Files.createTempFile(folder, "part", ".tmp");
            try {
                Files.write(part, bytes.array());
                Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } finally {
                Files.deleteIfExists(part);
            }
        } catch (IOException e) {
            throw new StorageException(
                    "Cannot write what the teacher said into " + folder + ": " + e
                            + "; free space, or choose another folder for the cache",
                    e);
        }
    }

    private static String key(Sequence one) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < one.ids().length; i++) {
            text.append(one.ids()[i]).append(i > 0 && one.isTarget()[i] ? '*' : ' ');
        }
        return Sha256.of(text.toString()).substring(0, KEY_DIGITS);
    }

    @Override
    public void close() {
        model.close();
    }
}
