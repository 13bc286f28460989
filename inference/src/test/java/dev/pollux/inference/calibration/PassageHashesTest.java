package dev.pollux.inference.calibration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.MalformedFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PassageHashesTest {

    @TempDir
    Path temp;

    private static String words(int from, int to) {
        return IntStream.range(from, to).mapToObj(i -> "Word" + i).collect(Collectors.joining(", "));
    }

    @Test
    void aTextIsFoundWholeInPartAndNotAtAll() {
        PassageHashes some = PassageHashes.of(List.of(words(0, 500), words(1000, 1500)));
        assertThat(some.shareOf(words(100, 300).toLowerCase(Locale.ROOT))).isEqualTo(1);
        assertThat(some.shareOf(words(400, 600))).isBetween(0.4, 0.5);
        assertThat(some.shareOf(words(2000, 3000))).isZero();
        assertThat(some.shareOf("Short.")).isZero();
        assertThat(PassageHashes.of(List.of()).shareOf(words(0, 100))).isZero();
    }

    /** Of many passages some are kept. */
    @Test
    void theShareOfALongTextIsEstimated() {
        PassageHashes many = PassageHashes.of(List.of(words(0, 60_000)));
        assertThat(many.shareOf(words(40_000, 80_000))).isCloseTo(0.5, within(0.05));
        assertThat(many.shareOf(words(100_000, 130_000))).isZero();
    }

    @Test
    void hashesAreStoredWithAModel() throws IOException {
        assertThat(PassageHashes.read(temp)).isEmpty();
        PassageHashes.of(List.of(words(0, 500))).write(temp);
        assertThat(PassageHashes.read(temp).orElseThrow().shareOf(words(400, 600)))
                .isEqualTo(PassageHashes.of(List.of(words(0, 500))).shareOf(words(400, 600)));
        Path file = Files.write(temp.resolve(PassageHashes.FILE), new byte[9]);
        assertThatThrownBy(() -> PassageHashes.read(temp))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(
                        file + " must have at most 4096 numbers of 8 bytes but has 9 bytes; quantize the model again");
    }
}
