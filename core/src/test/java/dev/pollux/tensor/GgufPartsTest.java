package dev.pollux.tensor;

import static dev.pollux.tensor.GgufFields.STRING;
import static dev.pollux.tensor.GgufFields.U16;
import static dev.pollux.tensor.GgufFields.U32;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.MalformedFileException;
import dev.pollux.PolluxException;
import dev.pollux.StorageException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(NoOpenFiles.class)
class GgufPartsTest {

    @TempDir
    Path folder;

    /** A part with one tensor, a scalar byte. */
    private Path part(String file, int number, int count, String tensor, int value) throws IOException {
        GgufFields fields = GgufFields.of(1, 2)
                .key("split.no", U16)
                .u16(number)
                .key("split.count", U16)
                .u16(count)
                .tensor(tensor, 24, 0)
                .pad(32)
                .u8(value);
        return Files.write(folder.resolve(file), fields.bytes());
    }

    private void refused(Path path, Class<? extends PolluxException> type, String message) {
        assertThatThrownBy(() -> GgufFile.open(path)).isInstanceOf(type).hasMessage(message);
    }

    @ParameterizedTest
    @ValueSource(strings = {".gguf", ".GGUF"})
    void anyPartOpensAllInOrder(String ending) throws IOException {
        List<Path> paths = List.of(
                part("a-00001-of-00003-00001-of-00003" + ending, 0, 3, "x", 1),
                part("a-00001-of-00003-00002-of-00003" + ending, 1, 3, "y", 2),
                part("a-00001-of-00003-00003-of-00003" + ending, 2, 3, "z", 3));
        for (Path path : paths) {
            try (GgufFile file = GgufFile.open(path)) {
                assertThat(file.files()).isEqualTo(paths);
                assertThat(file.tensors().keySet()).containsExactly("x", "y", "z");
                assertThat(file.floats("x")).containsExactly(1);
                assertThat(file.floats("y")).containsExactly(2);
                assertThat(file.floats("z")).containsExactly(3);
                assertThat(file.integer("split.no")).contains(0L);
            }
        }
    }

    @Test
    void aFileThatIsNotSplitMayHaveAnyName() throws IOException {
        part("other-00002-of-00002.gguf", 0, 2, "x", 1);
        for (Path path : List.of(
                part("a-00001-of-00002.gguf", 0, 1, "x", 1),
                Files.write(
                        folder.resolve("b-00001-of-00002.gguf"),
                        GgufFields.of(0, 0).bytes()),
                Files.write(
                        folder.resolve("c-00001-of-00002.gguf"),
                        GgufFields.of(0, 1).key("split.count", STRING).text("2").bytes()))) {
            try (GgufFile file = GgufFile.open(path)) {
                assertThat(file.files()).containsExactly(path);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"model.gguf", "a-00001-of-00003.gguf", "a-0001-of-0002.gguf", "a-00001-of-00002.bin"})
    void aPartUnderAnotherNameIsRefused(String name) throws IOException {
        Path path = part(name, 0, 2, "x", 1);
        refused(
                path,
                MalformedFileException.class,
                path
                        + " is one of 2 parts but its name does not end in -00001-of-00002.gguf or on; give the parts back their"
                        + " names");
    }

    @Test
    void aMissingPartIsNamed() throws IOException {
        Path path = part("a-00002-of-00003.gguf", 1, 3, "x", 1);
        part("a-00001-of-00003.gguf", 0, 3, "y", 1);
        refused(
                path,
                StorageException.class,
                path + " is one of 3 parts, of which a-00003-of-00003.gguf is missing; get it too");
    }

    @Test
    void aPartWithAnotherNumberIsRefused() throws IOException {
        Path first = part("a-00001-of-00002.gguf", 0, 2, "x", 1);
        Path second = part("a-00002-of-00002.gguf", 0, 2, "y", 1);
        String ending = " of 2; download the file again";
        refused(
                first,
                MalformedFileException.class,
                second + " must be part 1 of 2, counted from 0, but says that it is 0" + ending);
        part("a-00001-of-00002.gguf", 1, 2, "x", 1);
        part("a-00002-of-00002.gguf", 1, 2, "y", 1);
        refused(
                second,
                MalformedFileException.class,
                first + " must be part 0 of 2, counted from 0, but says that it is 1" + ending);
    }

    @Test
    void aPartOfAnotherCountIsRefused() throws IOException {
        Path first = part("a-00001-of-00002.gguf", 0, 2, "x", 1);
        Path second = part("a-00002-of-00002.gguf", 1, 3, "y", 1);
        refused(
                first,
                MalformedFileException.class,
                second + " must be part 1 of 2, counted from 0, but says that it is 1 of 3; download the file again");
        Files.write(second, GgufFields.of(0, 0).bytes());
        refused(
                first,
                MalformedFileException.class,
                second + " must be part 1 of 2, counted from 0, but says that it is -1 of 1; download the file again");
    }

    @Test
    void aDamagedPartIsNamed() throws IOException {
        Path first = part("a-00001-of-00002.gguf", 0, 2, "x", 1);
        Path second = Files.write(folder.resolve("a-00002-of-00002.gguf"), new byte[3]);
        refused(
                first,
                MalformedFileException.class,
                second + " is not a valid GGUF file: it ends inside the magic and version; it is truncated (byte 0);"
                        + " download the file again");
    }

    @Test
    void aTensorInTwoPartsIsRefused() throws IOException {
        Path first = part("a-00001-of-00002.gguf", 0, 2, "x", 1);
        Path second = part("a-00002-of-00002.gguf", 1, 2, "x", 1);
        refused(
                first,
                MalformedFileException.class,
                second + " holds x, which another part holds too; download the file again");
    }

    @Test
    void theNumberOfTensorsOfAllPartsIsChecked() throws IOException {
        Path first = folder.resolve("a-00001-of-00002.gguf");
        part("a-00002-of-00002.gguf", 1, 2, "x", 1);
        for (int count = 1; count <= 2; count++) {
            GgufFields fields = GgufFields.of(0, 3)
                    .key("split.no", U16)
                    .u16(0)
                    .key("split.count", U16)
                    .u16(2)
                    .key("split.tensors.count", U32)
                    .u32(count);
            Files.write(first, fields.bytes());
            if (count == 1) {
                GgufFile.open(first).close();
            }
        }
        refused(
                first,
                MalformedFileException.class,
                first + " and its other parts must hold 2 tensors but hold 1; download the files again");
    }
}
