package dev.pollux.rag.knowledge;

import dev.pollux.internal.Sha256;
import dev.pollux.retrieval.Document;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.TreeMap;

/** SHA-256 of texts, in hex. */
final class Hashes {

    private Hashes() {}

    /** The hash of a list of texts, including their boundaries. */
    static String of(String... texts) {
        MessageDigest digest = Sha256.digest();
        for (String text : texts) {
            update(digest, text);
        }
        return Sha256.hex(digest);
    }

    /** The hash of all properties of a document except its id. */
    static String of(Document document) {
        MessageDigest digest = Sha256.digest();
        update(digest, document.path());
        update(digest, document.mediaType());
        update(digest, document.text());
        new TreeMap<>(document.metadata()).forEach((name, value) -> {
            update(digest, name);
            update(digest, value);
        });
        document.places().forEach(place -> update(digest, place.start() + " " + place.location()));
        return Sha256.hex(digest);
    }

    /** The hash of a text with normalized line ends, without leading and trailing white space. */
    static String ofContent(String text) {
        MessageDigest digest = Sha256.digest();
        update(digest, text.strip().replace("\r\n", "\n").replace('\r', '\n'));
        return Sha256.hex(digest);
    }

    /** The hash of a list of texts that is given one by one. <em>Not thread-safe: one thread at a time.</em> */
    static final class Sum {
        private final MessageDigest digest = Sha256.digest();

        void add(String text) {
            update(digest, text);
        }

        /** The hash, as {@link Hashes#of(String...)} of the texts. */
        String hex() {
            return Sha256.hex(digest);
        }
    }

    private static void update(MessageDigest digest, String text) {
        // Raw chars: an encoder would map all lone surrogates to one byte.
        ByteBuffer chars = ByteBuffer.allocate(text.length() * Character.BYTES);
        chars.asCharBuffer().put(text);
        digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(0, text.length()));
        digest.update(chars);
    }
}
