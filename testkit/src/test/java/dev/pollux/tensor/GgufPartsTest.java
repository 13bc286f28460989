package dev.pollux.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.internal.OpenHandle;
import dev.pollux.testkit.GgufBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A model in three files. */
class GgufPartsTest {

    @TempDir
    Path folder;

    private final int openBefore = OpenHandle.open().size();

    @AfterEach
    void nothingIsLeftOpen() {
        assertThat(OpenHandle.open()).hasSize(openBefore);
    }

    @Test
    void anyPartOpensAll() {
        List<Path> paths = List.of(write(1), write(2), write(3));
        for (Path path : paths) {
            try (GgufFile file = GgufFile.open(path)) {
                assertThat(file.string("general.name")).contains("whole");
                assertThat(file.tensors()).containsOnlyKeys("t1", "t2", "t3");
                assertThat(file.floats("t1")).containsExactly(1);
                assertThat(file.floats("t3")).containsExactly(3);
                assertThat(file.files()).isEqualTo(paths);
            }
        }
    }

    @Test
    void aMissingPartIsNamed() {
        write(1);
        Path third = write(3);
        assertThatThrownBy(() -> GgufFile.open(third))
                .isInstanceOf(StorageException.class)
                .hasMessage(third + " is one of 3 parts, of which m-00002-of-00003.gguf is missing; get it too");
    }

    @Test
    void aPartUnderAnotherNameIsRefused() throws IOException {
        write(1);
        write(2);
        Path third = write(3);
        Path second = folder.resolve("m-00002-of-00003.gguf");
        Files.delete(second);
        Files.copy(third, second);
        assertThatThrownBy(() -> GgufFile.open(third))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(second
                        + " must be part 1 of 3, counted from 0, but says that it is 2 of 3; download the file again");
        Path alone = Files.copy(third, folder.resolve("model.gguf"));
        assertThatThrownBy(() -> GgufFile.open(alone))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(
                        alone + " is one of 3 parts but its name does not end in -00001-of-00003.gguf or on; give the"
                                + " parts back their names");
    }

    @Test
    void aTensorInTwoPartsAndOneTooFewAreRefused() {
        Path first = part(1, 4).write(folder.resolve("m-00001-of-00003.gguf"));
        write(2);
        Path third = write(3);
        assertThatThrownBy(() -> GgufFile.open(first))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(first + " and its other parts must hold 4 tensors but hold 3; download the files again");
        part(3, 3).floats("t1", new float[] {1}, 1).write(third);
        assertThatThrownBy(() -> GgufFile.open(first))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(third + " holds t1, which another part holds too; download the file again");
    }

    private Path write(int number) {
        return part(number, 3).write(folder.resolve("m-0000" + number + "-of-00003.gguf"));
    }

    private static GgufBuilder part(int number, int tensors) {
        GgufBuilder part = new GgufBuilder()
                .put("split.no", number - 1)
                .put("split.count", 3)
                .put("split.tensors.count", tensors);
        return (number == 1 ? part.put("general.name", "whole") : part).floats("t" + number, new float[] {number}, 1);
    }
}
