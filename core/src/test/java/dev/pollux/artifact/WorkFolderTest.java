package dev.pollux.artifact;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.StorageException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Free space for results. */
class WorkFolderTest {

    @TempDir
    Path temp;

    @Test
    void spaceIsCheckedWhereTheFirstExistingFolderIs() {
        Path target = temp.resolve("a").resolve("b");
        assertThatCode(() -> WorkFolder.checkSpace(target, 1)).doesNotThrowAnyException();
        assertThatThrownBy(() -> WorkFolder.checkSpace(target, Long.MAX_VALUE))
                .isInstanceOf(StorageException.class)
                .hasMessageStartingWith(target + " needs 9223372036854775807 bytes but only ")
                .hasMessageEndingWith(" are free at " + temp + "; free some space or choose another folder");
    }
}
