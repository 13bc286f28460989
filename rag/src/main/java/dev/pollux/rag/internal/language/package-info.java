/** Function words and stems of languages, from Lucene. */
@NullMarked
package dev.pollux.rag.internal.language;

import org.jspecify.annotations.NullMarked;
