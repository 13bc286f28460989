package dev.pollux.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import org.junit.jupiter.api.Test;

class Sha256Test {

    /** FIPS 180-4, the example of one block. */
    private static final String ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    @Test
    void aTextIsHashedAsUtf8() {
        assertThat(Sha256.of("abc")).isEqualTo(ABC);
        assertThat(Sha256.of("\u00e4")).isNotEqualTo(Sha256.of("a"));
    }

    @Test
    void aDigestStartsAnewAfterItsHash() {
        MessageDigest digest = Sha256.digest();
        for (int i = 0; i < 2; i++) {
            digest.update("ab".getBytes(StandardCharsets.UTF_8));
            digest.update((byte) 'c');
            assertThat(Sha256.hex(digest)).isEqualTo(ABC);
        }
    }
}
