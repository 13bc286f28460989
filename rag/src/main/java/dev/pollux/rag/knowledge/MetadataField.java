package dev.pollux.rag.knowledge;

import java.util.Set;
import java.util.TreeSet;

/**
 * A field of the metadata of documents. Its values are texts; their forms say how a filter can compare them.
 * <em>Immutable.</em>
 *
 * @param name its name
 * @param types the types of its values, in the order of {@link Type}
 * @param documents number of documents that have it
 */
public record MetadataField(String name, Set<Type> types, int documents) {

    public MetadataField {
        types = java.util.Collections.unmodifiableSet(new TreeSet<>(types));
    }

    /** The form of a value. Every value can be compared as a text as well. */
    public enum Type {
        /** {@code true} or {@code false}. */
        BOOLEAN,
        /** A decimal number. */
        NUMBER,
        /** An ISO 8601 date, or a time that begins with one. */
        DATE,
        /** A JSON array, or elements with commas between them. */
        LIST,
        /** Any other text. */
        TEXT
    }
}
