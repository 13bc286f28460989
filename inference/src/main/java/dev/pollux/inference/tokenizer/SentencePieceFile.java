package dev.pollux.inference.tokenizer;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.UnsupportedModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads a SentencePiece {@code tokenizer.model} (Kudo and Richardson, arXiv:1808.06226) as the metadata that a GGUF file made
 * from it would have. The format is {@code sentencepiece_model.proto}; fields without effect here are skipped.
 */
final class SentencePieceFile {

    private static final long MAX_BYTES = 256L << 20;
    private static final int UNIGRAM = 1;
    private static final int BPE = 2;

    private final Path file;
    private final List<String> tokens = new ArrayList<>();
    private final List<Float> scores = new ArrayList<>();
    private final List<Long> types = new ArrayList<>();
    private final Map<String, Object> metadata = new HashMap<>();
    private int model = UNIGRAM;

    private SentencePieceFile(Path file) {
        this.file = file;
    }

    /** The keys {@code tokenizer.ggml.*}. They name the BOS and EOS tokens but do not add them to a text. */
    static Map<String, Object> read(Path file) {
        SentencePieceFile read = new SentencePieceFile(file);
        try {
            if (Files.size(file) > MAX_BYTES) {
                throw new MalformedFileException(file + " must be at most " + MAX_BYTES + " bytes");
            }
            read.model(CodedInputStream.newInstance(Files.readAllBytes(file)));
        } catch (com.google.protobuf.InvalidProtocolBufferException e) {
            throw new MalformedFileException(file + " is not a model of SentencePiece: " + e.getMessage(), e);
        } catch (IOException e) {
            throw new StorageException("Cannot read " + file + ": " + e, e);
        }
        return read.finished();
    }

    private Map<String, Object> finished() {
        if (tokens.isEmpty()) {
            throw new MalformedFileException(file + " is not a model of SentencePiece: it has no pieces");
        }
        if (model != BPE && model != UNIGRAM) {
            throw new UnsupportedModelException(file + ": SentencePiece models of type " + model
                    + " are not supported, only unigram (1) and BPE (2)");
        }
        put("model", model == BPE ? "llama" : "t5");
        put("tokens", tokens);
        put("scores", scores);
        put("token_type", types);
        return metadata;
    }

    private void put(String key, Object value) {
        metadata.put("tokenizer.ggml." + key, value);
    }

    private void model(CodedInputStream in) throws IOException {
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            switch (WireFormat.getTagFieldNumber(tag)) {
                case 1 -> piece(part(in));
                case 2 -> trainer(part(in));
                case 3 -> normalizer(part(in));
                default -> in.skipField(tag);
            }
        }
    }

    private static CodedInputStream part(CodedInputStream in) throws IOException {
        return CodedInputStream.newInstance(in.readByteArray());
    }

    private void piece(CodedInputStream in) throws IOException {
        String text = "";
        float score = 0;
        long type = GgufTokenizer.NORMAL;
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            switch (WireFormat.getTagFieldNumber(tag)) {
                case 1 -> text = in.readString();
                case 2 -> score = in.readFloat();
                case 3 -> type = in.readEnum();
                default -> in.skipField(tag);
            }
        }
        tokens.add(text);
        scores.add(score);
        types.add(type);
    }

    private void trainer(CodedInputStream in) throws IOException {
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            switch (WireFormat.getTagFieldNumber(tag)) {
                case 3 -> model = in.readEnum();
                case 40 -> id("unknown_token_id", in.readInt32());
                case 41 -> id("bos_token_id", in.readInt32());
                case 42 -> id("eos_token_id", in.readInt32());
                default -> in.skipField(tag);
            }
        }
    }

    /** −1 means that there is none. */
    private void id(String key, int id) {
        if (id >= 0) {
            put(key, (long) id);
        }
    }

    private void normalizer(CodedInputStream in) throws IOException {
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            switch (WireFormat.getTagFieldNumber(tag)) {
                case 2 -> charsmap(in.readByteArray());
                case 3 -> put("add_space_prefix", in.readBool());
                case 4 -> put("remove_extra_whitespaces", in.readBool());
                default -> in.skipField(tag);
            }
        }
    }

    private void charsmap(byte[] bytes) {
        if (bytes.length > 0) {
            List<Long> values = new ArrayList<>(bytes.length);
            for (byte value : bytes) {
                values.add((long) value);
            }
            put("precompiled_charsmap", values);
        }
    }
}
