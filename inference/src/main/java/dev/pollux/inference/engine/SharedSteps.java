package dev.pollux.inference.engine;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import dev.pollux.inference.decoder.DecoderManifest;
import dev.pollux.inference.internal.NativeRuntime;
import dev.pollux.inference.internal.step.StepInput;
import dev.pollux.inference.onnx.GraphInput;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The tensors of steps in which several sequences read one token each. <em>Confined to one thread at a time.</em> */
final class SharedSteps implements AutoCloseable {

    /*
     * Sequences are in slots 0 … n − 1 of a SlotCache. A step reads one token of each of them; a sequence whose token is not there
     * yet reads a filler, whose row at the end of the slot is overwritten later. With the rule of even rows, steps of 2, 4, …
     * sequences give each of them the same bits, so an empty slot is added where n is odd, and the output of a sequence does not
     * depend on how many others there are. (These bits are other ones than those of several tokens of one sequence.)
     */

    private final DecoderSession session;
    private final DecoderManifest manifest;
    private final LoadedAdapter adapter;
    private final boolean even;
    private final SlotCache cache;
    private final List<StepInput> given;
    private final StepLogits logits;
    private final Map<String, OnnxTensor> inputs;
    private final Map<String, OnnxTensor> outputs = new HashMap<>();
    private final List<Slot> slots = new ArrayList<>();

    /** A sequence in a slot. */
    static final class Slot {
        private final DecoderSequence sequence; // with the tokens read before it joined
        private final float[] row; // (vocabulary), the logits after the last token
        private int index = -1; // none before the first step
        private int length;
        private int token;
        private boolean due;

        private Slot(DecoderSequence sequence, int vocabulary) {
            this.sequence = sequence;
            this.row = new float[vocabulary];
            this.length = sequence.length();
        }

        /** The number of tokens read. */
        int length() {
            return length;
        }

        /** The logits after the last token, (vocabulary). */
        FloatBuffer logits() {
            return FloatBuffer.wrap(row);
        }

        /** Whether the sequence was cancelled. */
        boolean isInterrupted() {
            return sequence.isInterrupted();
        }
    }

    /**
     * @param most the number of sequences
     * @param even whether the rule of even rows holds
     */
    SharedSteps(DecoderSession session, LoadedAdapter adapter, int most, boolean even) {
        this.session = session;
        this.manifest = session.graph().manifest();
        this.adapter = adapter;
        this.even = even;
        this.cache =
                new SlotCache(manifest.caches(), session.graph().cache(), manifest.contextLength(), most + most % 2);
        this.given = session.graph().inputs().stream().map(StepInput::new).toList();
        this.logits = new StepLogits(session.graph().logits(), manifest.vocabularySize());
        this.inputs = new HashMap<>(adapter.inputs());
    }

    /** A slot for a sequence that has read its prompt. The sequence must not be used before it leaves. */
    Slot slot(DecoderSequence sequence) {
        return new Slot(sequence, manifest.vocabularySize());
    }

    /** A step of some slots. */
    StepAdmission.Step step(List<Slot> due, List<Integer> tokens, List<Slot> left) {
        return new StepAdmission.Step() {
            @Override
            public StepAdmission.Group group() {
                return adapter.group();
            }

            @Override
            public boolean isInterrupted() {
                return false;
            }

            @Override
            public void execute() {
                left.forEach(SharedSteps.this::remove);
                for (int i = 0; i < due.size(); i++) {
                    due.get(i).token = tokens.get(i);
                    due.get(i).due = true;
                }
                try {
                    due.forEach(SharedSteps.this::place);
                    run();
                } finally {
                    due.forEach(slot -> slot.due = false);
                }
            }
        };
    }

    private void remove(Slot slot) {
        if (slot.index < 0) {
            return;
        }
        Slot last = slots.remove(slots.size() - 1);
        if (last != slot) {
            cache.move(last.index, slot.index, last.length);
            last.index = slot.index;
            slots.set(last.index, last);
        }
        slot.index = -1;
    }

    private void place(Slot slot) {
        if (slot.index < 0) {
            KeyValueCache rows = slot.sequence.rows();
            int index = slots.size();
            reserve(index + 1, slot.length + 1);
            cache.take(index, rows, slot.length);
            slot.index = index;
            slots.add(slot);
        }
    }

    private void reserve(int count, int rows) {
        cache.reserve(count, rows, slots.stream().mapToInt(slot -> slot.length).toArray());
    }

    private void run() {
        int count = slots.size() + (even ? slots.size() % 2 : 0);
        int[] tokens = new int[count];
        int[] past = new int[count];
        int[] dropped = new int[count];
        int longest = 0;
        for (Slot slot : slots) {
            dropped[slot.index] = cache.drop(slot.index, slot.length);
            tokens[slot.index] = slot.due ? slot.token : 0;
            past[slot.index] = Math.min(slot.length, manifest.contextLength() - 1); // a full one reads no more
            longest = Math.max(longest, past[slot.index]);
        }
        reserve(count, longest + 1);
        GraphInput.Step step =
                GraphInput.Step.joint(tokens, past, new long[count]).without(dropped);
        given.forEach(input -> input.write(step, inputs));
        logits.bind(step, outputs);
        cache.bind(count, inputs, outputs);
        try (NativeRuntime.RunGuard run = NativeRuntime.begin()) {
            session.run(longest, inputs, outputs, run);
        } catch (OrtException e) {
            throw NativeRuntime.failure("A step of " + manifest.name() + " failed", e);
        }
        for (Slot slot : slots) {
            if (slot.due) {
                logits.last(slot.index, 1).get(0, slot.row);
                slot.length++;
            }
        }
    }

    /** Must follow the last step. */
    @Override
    public void close() {
        given.forEach(StepInput::close);
        logits.close();
        cache.close();
    }
}
