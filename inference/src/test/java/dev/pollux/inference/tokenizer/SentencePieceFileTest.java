package dev.pollux.inference.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.CodedOutputStream;
import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SentencePieceFileTest {

    @TempDir
    Path temp;

    private Path file;

    @BeforeEach
    void name() {
        file = temp.resolve("tokenizer.model");
    }

    @Test
    void aUnigramModelTakesThePiecesOfHighestProbability() throws IOException {
        write(1, "<unk>", 2, 0, "</s>", 3, 0, "▁a", 1, -1, "b", 1, -2, "c", 1, -2, "bc", 1, -3, "▁ab", 1, -9);
        try (Tokenizer tokenizer = Tokenizer.ofSentencePiece(file, Map.of("add_eos_token", false))) {
            assertThat(tokenizer.encode("abc", true)).containsExactly(2, 5);
            assertThat(tokenizer.decode(new int[] {2, 5}, true)).isEqualTo("abc");
        }
        try (Tokenizer tokenizer = Tokenizer.ofSentencePiece(file, Map.of())) {
            assertThat(tokenizer.encode("abc", true)).containsExactly(2, 5, 1);
        }
    }

    @Test
    void wordModelsAreRefused() throws IOException {
        write(3, "<unk>", 2, 0);
        assertThatThrownBy(() -> Tokenizer.ofSentencePiece(file, Map.of()))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage(file + ": SentencePiece models of type 3 are not supported, only unigram (1) and BPE (2)");
    }

    @Test
    void whatIsNoModelIsRefused() throws IOException {
        Files.write(file, new byte[0]);
        assertThatThrownBy(() -> Tokenizer.ofSentencePiece(file, Map.of()))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(file + " is not a model of SentencePiece: it has no pieces");
        Random random = new Random(3);
        for (int round = 0; round < 500; round++) {
            byte[] bytes = new byte[random.nextInt(64) + 1];
            random.nextBytes(bytes);
            Files.write(file, bytes);
            assertThatThrownBy(() -> Tokenizer.ofSentencePiece(file, Map.of()).close())
                    .as("seed 3, round %d", round)
                    .isInstanceOfAny(MalformedFileException.class, UnsupportedModelException.class);
        }
    }

    /** Pieces as text, type and score in turns. */
    private void write(int model, Object... pieces) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        CodedOutputStream out = CodedOutputStream.newInstance(bytes);
        for (int i = 0; i < pieces.length; i += 3) {
            ByteArrayOutputStream part = new ByteArrayOutputStream();
            CodedOutputStream piece = CodedOutputStream.newInstance(part);
            piece.writeString(1, (String) pieces[i]);
            piece.writeFloat(2, (Integer) pieces[i + 2]);
            piece.writeEnum(3, (Integer) pieces[i + 1]);
            piece.flush();
            out.writeByteArray(1, part.toByteArray());
        }
        ByteArrayOutputStream part = new ByteArrayOutputStream();
        CodedOutputStream trainer = CodedOutputStream.newInstance(part);
        trainer.writeEnum(3, model);
        trainer.writeInt32(40, 0);
        trainer.writeInt32(41, -1);
        trainer.writeInt32(42, 1);
        trainer.flush();
        out.writeByteArray(2, part.toByteArray());
        out.flush();
        Files.write(file, bytes.toByteArray());
    }
}
