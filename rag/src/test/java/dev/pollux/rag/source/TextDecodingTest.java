package dev.pollux.rag.source;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TextDecodingTest {

    private static final String SENTENCES =
            "Der Heizkessel wird im März gewartet.\r\nL\u2019été, où est-il\u00A0? Ça va.\r\n";

    @ParameterizedTest
    @ValueSource(strings = {"UTF-8", "UTF-16LE", "UTF-16BE", "UTF-32LE", "UTF-32BE"})
    void aByteOrderMarkLeavesNoDoubt(String encoding) {
        byte[] bytes = ("\uFEFF" + SENTENCES).getBytes(Charset.forName(encoding));
        assertThat(TextDecoding.decode(bytes)).contains(new TextDecoding.Text(SENTENCES, Optional.empty()));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"Plain text.\nTwo lines.\n", "Отопление проверяют в марте.\n", "锅炉在三月检修。\n电梯在五月检修。\n", "hello"})
    void wideTextNeedsNoMarkWhereItIsPlain(String text) {
        for (Charset charset : new Charset[] {StandardCharsets.UTF_16LE, StandardCharsets.UTF_16BE}) {
            assertThat(TextDecoding.decode(text.getBytes(charset)))
                    .contains(new TextDecoding.Text(
                            text, Optional.of("has no byte order mark and is read as " + charset.name())));
        }
    }

    @Test
    void theFirstWrongByteIsNamed() {
        assertThat(decoded("One line.\rA bad byte ", 0xFF, " here.\n"))
                .contains(new TextDecoding.Text(
                        "One line.\rA bad byte \uFFFD here.\n",
                        Optional.of("has a byte in line 2 that is not UTF-8 (0xFF), read as U+FFFD")));
        assertThat(decoded("Straße, Öl und ", 0xE2, 0x82, " and ", 0x81, " are cut.\n"))
                .contains(new TextDecoding.Text(
                        "Straße, Öl und \uFFFD and \uFFFD are cut.\n",
                        Optional.of(
                                "has a byte in line 1 that is not UTF-8 (0xE2), read as U+FFFD; so is another one")));
        assertThat(decoded("A log with one zero ", 0, " in it.\n"))
                .contains(new TextDecoding.Text(
                        "A log with one zero \uFFFD in it.\n",
                        Optional.of("has a byte in line 1 that is not UTF-8 (0x00), read as U+FFFD")));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Der Heizkessel wird im M\u00e4rz gewartet.",
                "L\u2019\u00e9t\u00e9, o\u00f9 est-il\u00a0? \u00c7a va.",
                "\u201cQuoted\u201d \u2013 and 5 \u20ac, \u00a7 4, 20 \u00b0C",
                "\u00bfQu\u00e9 a\u00f1o? \u00c9l es de M\u00e1laga.",
                "Caf\u00e9"
            })
    void textOfWindowsEditorsIsRead(String text) {
        String notice = "is not UTF-8 and is read as Windows-1252; line 2 is the first that differs";
        assertThat(TextDecoding.decode(("First.\r\n" + text).getBytes(Charset.forName("windows-1252"))))
                .contains(new TextDecoding.Text("First.\r\n" + text, Optional.of(notice)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"windows-1251", "Shift_JIS", "GBK", "KOI8-R", "ISO-8859-7"})
    void otherEncodingsAreNotTakenForIt(String encoding) {
        String text = encoding.equals("ISO-8859-7")
                ? "Ο λέβητας ελέγχεται τον Μάρτιο."
                : encoding.equals("Shift_JIS")
                        ? "ボイラーは三月に点検されます。"
                        : encoding.equals("GBK") ? "锅炉在三月检修，电梯在五月检修。" : "Отопление проверяют в марте каждого года.";
        assertThat(TextDecoding.decode(text.getBytes(Charset.forName(encoding))))
                .isEmpty();
    }

    @Test
    void binaryIsNoText() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        for (int length = 64; length < 4096; length *= 2) {
            byte[] bytes = new byte[length];
            random.nextBytes(bytes);
            assertThat(TextDecoding.decode(bytes))
                    .as("seed %d, length %d", seed, length)
                    .isEmpty();
        }
        assertThat(decoded("\u0001\u0002\u0003\u0004\u0005 with text")).isEmpty();
        assertThat(decoded("PK", 3, 4, 0, 0, 0, 8, 0, "name")).isEmpty();
    }

    @Test
    void emptyIsText() {
        assertThat(TextDecoding.decode(new byte[0])).contains(new TextDecoding.Text("", Optional.empty()));
    }

    private static Optional<TextDecoding.Text> decoded(Object... parts) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (Object part : parts) {
            if (part instanceof Integer value) {
                bytes.write(value);
            } else {
                bytes.writeBytes(String.valueOf(part).getBytes(StandardCharsets.UTF_8));
            }
        }
        return TextDecoding.decode(bytes.toByteArray());
    }
}
