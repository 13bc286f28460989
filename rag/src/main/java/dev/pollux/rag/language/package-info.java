/** Function words and stems of languages, from Lucene. */
@NullMarked
package dev.pollux.rag.language;

import org.jspecify.annotations.NullMarked;
