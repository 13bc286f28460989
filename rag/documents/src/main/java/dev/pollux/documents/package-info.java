/** Text of PDF, HTML, Office files, e-books and mail. */
@NullMarked
package dev.pollux.documents;

import org.jspecify.annotations.NullMarked;
