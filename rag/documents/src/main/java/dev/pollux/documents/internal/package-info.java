/** The reader that {@link java.util.ServiceLoader} finds. */
@NullMarked
package dev.pollux.documents.internal;

import org.jspecify.annotations.NullMarked;
