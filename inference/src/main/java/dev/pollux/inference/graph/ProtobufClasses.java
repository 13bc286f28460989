package dev.pollux.inference.graph;

import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.ByteString;
import dev.pollux.UnsupportedModelException;
import java.security.CodeSource;
import java.util.Objects;

/** Checks that the host's version of protobuf is compatible with the generated ONNX classes. <em>Thread-safe.</em> */
final class ProtobufClasses {

    private ProtobufClasses() {}

    /**
     * Loads the generated class with the most requirements on protobuf.
     *
     * @throws UnsupportedModelException if the version is incompatible
     */
    static void check() {
        try {
            Objects.requireNonNull(TensorProto.getDefaultInstance());
        } catch (LinkageError e) {
            CodeSource source = ByteString.class.getProtectionDomain().getCodeSource();
            throw new UnsupportedModelException(
                    "A model cannot be exported with this version of protobuf"
                            + (source == null ? "" : " (" + source.getLocation() + ")") + ": " + e
                            + "; let com.google.protobuf:protobuf-java have version 3.24, 3.25, or 4.27 or newer",
                    e);
        }
    }
}
