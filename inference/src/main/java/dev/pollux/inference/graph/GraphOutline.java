package dev.pollux.inference.graph;

import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.WireFormat;
import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The outline of an ONNX file without its weights: inputs, outputs, operator counts and the files of external data.
 *
 * <p>The file is read in one pass; weights are skipped. It is untrusted: nesting, names and messages are bounded.
 * <em>Immutable.</em>
 *
 * @param inputs the inputs of a run, without initializers
 * @param outputs the outputs of a run
 * @param operators the number of occurrences of each operator, branches and functions included; contrib operators have
 *     their domain, such as {@code com.microsoft.MatMulNBits}
 * @param appended key and value inputs that only {@code GroupQueryAttention} reads, by input name, with the node's output
 *     name; the two may share one buffer
 * @param branchRows the least number of rows of a matrix in a branch; 0 if there is none. For rotary tables that are chosen
 *     by length it is the limit of the first table
 * @param dataFiles the untrusted locations of external data, as written
 */
public record GraphOutline(
        List<Value> inputs,
        List<Value> outputs,
        Map<String, Integer> operators,
        Map<String, String> appended,
        long branchRows,
        Set<String> dataFiles) {

    public GraphOutline {
        inputs = List.copyOf(inputs);
        outputs = List.copyOf(outputs);
        operators = Collections.unmodifiableMap(new TreeMap<>(operators));
        appended = Collections.unmodifiableMap(new TreeMap<>(appended));
        dataFiles = Collections.unmodifiableSet(new TreeSet<>(dataFiles));
    }

    /**
     * Reads the outline of {@code file}.
     *
     * @throws MalformedFileException if it is not an ONNX model, or exceeds a bound
     * @throws StorageException if it cannot be read
     */
    public static GraphOutline read(Path file) {
        try (InputStream in = new BufferedInputStream(Files.newInputStream(file), 1 << 16)) {
            return new Reader(file, CodedInputStream.newInstance(in)).outline();
        } catch (InvalidProtocolBufferException e) {
            throw new MalformedFileException(file + " is not an ONNX model: " + e.getMessage(), e);
        } catch (IOException e) {
            throw new StorageException("Cannot read " + file + ": " + e, e);
        }
    }

    /** One pass over the bytes; numbers are field numbers of onnx.proto. */
    private static final class Reader {

        private static final int MAX_DEPTH = 32;
        private static final int MAX_MESSAGE = 1 << 16;
        private static final int MAX_VALUES = 1 << 16;
        private static final long MAX_NAMES = 64L << 20;

        private final Path file;
        private final CodedInputStream in;
        private final List<Value> inputs = new ArrayList<>();
        private final List<Value> outputs = new ArrayList<>();
        private final Map<String, Integer> operators = new TreeMap<>();
        private final Map<String, String> appended = new HashMap<>();
        private final Map<String, Integer> readers = new HashMap<>();
        private final Set<String> initializers = new HashSet<>();
        private final Set<String> dataFiles = new TreeSet<>();
        private long branchRows;
        private long names;
        private boolean graphSeen;

        Reader(Path file, CodedInputStream in) {
            this.file = file;
            this.in = in;
        }

        /** Receives the fields of a message. */
        private interface Field {
            /** A length-delimited field; returns false to skip it. */
            boolean read(int number) throws IOException;

            /** A numeric field. */
            default void number(int number, long value) {}
        }

        private void fields(Field field) throws IOException {
            for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
                int number = WireFormat.getTagFieldNumber(tag);
                int type = WireFormat.getTagWireType(tag);
                if (type == WireFormat.WIRETYPE_VARINT) {
                    field.number(number, in.readRawVarint64());
                } else if (type != WireFormat.WIRETYPE_LENGTH_DELIMITED || !field.read(number)) {
                    if (!in.skipField(tag)) {
                        throw malformed("a group ends where none began");
                    }
                }
            }
        }

        private boolean message(Field field) throws IOException {
            int length = in.readRawVarint32();
            int outer = in.pushLimit(length);
            fields(field);
            in.checkLastTagWas(0);
            in.popLimit(outer);
            return true;
        }

        GraphOutline outline() throws IOException {
            fields(number -> switch (number) {
                case 7 -> {
                    graphSeen = true;
                    yield message(field -> graph(field, 0));
                }
                case 25 -> message(field -> field == 7 && node(MAX_DEPTH / 2)); // a function and its nodes
                default -> false;
            });
            if (!graphSeen) {
                throw malformed("it has no graph");
            }
            inputs.removeIf(input -> initializers.contains(input.name()));
            appended.keySet().removeIf(name -> readers.getOrDefault(name, 0) != 1);
            return new GraphOutline(inputs, outputs, operators, appended, branchRows, dataFiles);
        }

        private boolean graph(int field, int depth) throws IOException {
            return switch (field) {
                case 1 -> node(depth);
                case 5 -> tensor(depth == 0 ? 0 : depth + 1);
                case 11 -> depth == 0 && value(inputs);
                case 12 -> depth == 0 && value(outputs);
                default -> false;
            };
        }

        private boolean node(int depth) throws IOException {
            List<String> from = new ArrayList<>();
            List<String> to = new ArrayList<>();
            String[] type = {"", ""};
            message(field -> switch (field) {
                case 1 -> from.add(name());
                case 2 -> to.add(name());
                case 4 -> {
                    type[0] = name();
                    yield true;
                }
                case 5 -> message(attribute -> attribute(attribute, depth));
                case 7 -> {
                    type[1] = name();
                    yield true;
                }
                default -> false;
            });
            operators.merge(type[1].isEmpty() ? type[0] : type[1] + "." + type[0], 1, Integer::sum);
            from.forEach(name -> readers.merge(name, 1, Integer::sum));
            if (depth == 0 && type[0].equals("GroupQueryAttention") && from.size() > 4 && to.size() > 2) {
                appended.put(from.get(3), to.get(1));
                appended.put(from.get(4), to.get(2));
            }
            return true;
        }

        private boolean attribute(int field, int depth) throws IOException {
            return switch (field) {
                case 5, 10 -> tensor(depth + 1);
                case 6, 11 -> {
                    if (depth >= MAX_DEPTH) {
                        throw malformed("graphs must be nested at most " + MAX_DEPTH + " deep");
                    }
                    yield message(inner -> graph(inner, depth + 1));
                }
                default -> false;
            };
        }

        private boolean tensor(int depth) throws IOException {
            Tensor tensor = new Tensor();
            message(tensor);
            if (depth == 0) {
                initializers.add(tensor.name);
            } else if (depth > 1 && tensor.dims.size() == 2) {
                long rows = tensor.dims.get(0);
                branchRows = branchRows == 0 ? rows : Math.min(branchRows, rows);
            }
            return true;
        }

        /** A tensor's name, dimensions and location; its values are skipped. */
        private final class Tensor implements Field {

            private static final int MAX_DIMS = 16;

            private final List<Long> dims = new ArrayList<>();
            private String name = "";

            @Override
            public boolean read(int number) throws IOException {
                return switch (number) {
                    case 1 -> { // packed
                        int outer = in.pushLimit(in.readRawVarint32());
                        while (!in.isAtEnd()) {
                            number(1, in.readRawVarint64());
                        }
                        in.popLimit(outer);
                        yield true;
                    }
                    case 8 -> {
                        name = name();
                        yield true;
                    }
                    case 13 -> location();
                    default -> false;
                };
            }

            @Override
            public void number(int number, long value) {
                if (number == 1 && dims.size() < MAX_DIMS) {
                    dims.add(value);
                }
            }
        }

        private boolean location() throws IOException {
            String[] entry = {"", ""};
            message(field -> {
                if (field == 1 || field == 2) {
                    entry[field - 1] = name();
                    return true;
                }
                return false;
            });
            if (entry[0].equals("location")) {
                dataFiles.add(entry[1]);
            }
            return true;
        }

        private boolean value(List<Value> values) throws IOException {
            Value value = GraphReader.value(ValueInfoProto.parseFrom(bytes()));
            if (values.size() == MAX_VALUES) {
                throw malformed("it must have at most " + MAX_VALUES + " inputs or outputs");
            }
            return values.add(value);
        }

        private String name() throws IOException {
            return new String(bytes(), java.nio.charset.StandardCharsets.UTF_8);
        }

        private byte[] bytes() throws IOException {
            int length = in.readRawVarint32();
            names += length;
            if (length < 0 || length > MAX_MESSAGE || names > MAX_NAMES) {
                throw malformed("its names must be at most " + MAX_MESSAGE + " bytes long and together " + MAX_NAMES);
            }
            return in.readRawBytes(length);
        }

        private MalformedFileException malformed(String what) {
            return new MalformedFileException(file + " is not an ONNX model that can be read: " + what);
        }
    }
}
