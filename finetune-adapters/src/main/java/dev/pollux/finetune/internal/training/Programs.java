package dev.pollux.finetune.internal.training;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.pollux.inference.device.Device;
import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.graph.GraphWriter;
import dev.pollux.inference.internal.NativeRuntime;
import dev.pollux.inference.internal.session.SessionSettings;
import dev.pollux.internal.OpenHandle;
import dev.pollux.job.JobContext;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/** Sessions of graphs; graphs that differ only in names share one. <em>Confined to one thread.</em> */
final class Programs implements AutoCloseable {

    /** Columns below which products are too small for several threads. */
    private static final int NARROW = 256;

    private final int threads;
    private final Map<ByteString, OrtSession> sessions = new HashMap<>();
    private final OpenHandle handle = OpenHandle.of("Programs");

    /**
     * Sessions. In narrow models the last bits of a step were seen to depend on the number of threads, perhaps because the runtime
     * computes very small parts of a product otherwise. These models run on one thread.
     *
     * @param width the number of columns of the model's stream
     */
    Programs(int threads, int width) {
        this.threads = width < NARROW ? 1 : threads;
    }

    /** The number of sessions. */
    int size() {
        return sessions.size();
    }

    /**
     * A graph ready to run.
     *
     * @throws dev.pollux.ModelExecutionException if the runtime rejects it
     */
    Program of(Graph graph) {
        Map<String, String> names = new LinkedHashMap<>();
        ByteString model = renamed(GraphWriter.bytes(graph), names);
        OrtSession session = sessions.get(model);
        if (session == null) {
            session = open(model.toByteArray());
            sessions.put(model, session);
        }
        Map<String, String> inputs = new LinkedHashMap<>();
        graph.inputs().forEach(input -> inputs.put(input.name(), Objects.requireNonNull(names.get(input.name()))));
        Map<String, String> outputs = new LinkedHashMap<>();
        graph.outputs().forEach(output -> outputs.put(output.name(), Objects.requireNonNull(names.get(output.name()))));
        return new Program(session, inputs, outputs);
    }

    private OrtSession open(byte[] model) {
        try (OrtSession.SessionOptions settings = SessionSettings.of(Device.CPU, threads, false)) {
            return NativeRuntime.environment().createSession(model, settings);
        } catch (OrtException e) {
            throw NativeRuntime.failure("Cannot prepare a layer for training", e);
        }
    }

    /** The model with numbers in place of names; {@code names} receives the new by the old ones. */
    private static ByteString renamed(byte[] bytes, Map<String, String> names) {
        try {
            ModelProto.Builder model = ModelProto.parseFrom(bytes).toBuilder();
            GraphProto.Builder graph = model.getGraphBuilder();
            names.put("", "");
            for (ValueInfoProto.Builder input : graph.getInputBuilderList()) {
                input.setName(number(names, input.getName()));
            }
            for (TensorProto.Builder weight : graph.getInitializerBuilderList()) {
                weight.setName(number(names, weight.getName()));
            }
            for (NodeProto.Builder node : graph.getNodeBuilderList()) {
                node.clearName();
                for (int i = 0; i < node.getInputCount(); i++) {
                    node.setInput(i, number(names, node.getInput(i)));
                }
                for (int i = 0; i < node.getOutputCount(); i++) {
                    node.setOutput(i, number(names, node.getOutput(i)));
                }
            }
            for (ValueInfoProto.Builder output : graph.getOutputBuilderList()) {
                output.setName(number(names, output.getName()));
            }
            return model.build().toByteString();
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException("a graph that was just written must be readable", e);
        }
    }

    private static String number(Map<String, String> names, String name) {
        return names.computeIfAbsent(name, key -> "v" + names.size());
    }

    /** A graph with its session. */
    record Program(OrtSession session, Map<String, String> inputs, Map<String, String> outputs) {

        /**
         * Runs it.
         *
         * @param given the inputs by name, among others
         * @param results where each output is written to, by name
         */
        void run(Map<String, OnnxTensor> given, Map<String, OnnxTensor> results, JobContext context) {
            Map<String, OnnxTensor> in = new HashMap<>();
            inputs.forEach((name, own) ->
                    in.put(own, Objects.requireNonNull(given.get(name), () -> "the input " + name + " must be given")));
            Map<String, OnnxTensor> out = new HashMap<>();
            outputs.forEach((name, own) -> out.put(own, Objects.requireNonNull(results.get(name))));
            try (NativeRuntime.RunGuard run = NativeRuntime.begin()) {
                context.cancellable(run::terminate, () -> {
                    context.checkCancelled();
                    try (OrtSession.Result result = session.run(in, Set.of(), out, run.options())) {
                        return result;
                    } catch (OrtException e) {
                        context.checkCancelled();
                        throw NativeRuntime.failure("Cannot run a layer", e);
                    }
                });
            }
        }
    }

    @Override
    public void close() {
        for (OrtSession session : sessions.values()) {
            try {
                session.close();
            } catch (OrtException e) {
                throw NativeRuntime.failure("Cannot close a session", e);
            }
        }
        sessions.clear();
        handle.close();
    }
}
