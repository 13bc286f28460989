/** A twin over folders of documents in one call. */
@NullMarked
package dev.pollux.starter;

import org.jspecify.annotations.NullMarked;
