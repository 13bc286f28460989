package dev.pollux.inference.issues;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.TinyDecoder;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A model in a folder with spaces, a percent sign or letters beyond ASCII in its name was not found. */
@NoLeaks
class FolderOfAnyNameTest {

    @TempDir
    Path temp;

    @ParameterizedTest
    @ValueSource(strings = {"First Last", "a%20b", "c#d", "e+f&g;h", "größe ☃", "'quoted'"})
    void aModelIsOpenedWhateverItsFolderIsCalled(String name) {
        Path model = TinyDecoder.llama(5).write(temp.resolve(name));
        Path plain = TinyDecoder.llama(5).write(temp.resolve("plain"));
        assertThat(Answers.of(model, temp.resolve("cache of " + name)))
                .isEqualTo(Answers.of(plain, temp.resolve("cache")));
    }
}
