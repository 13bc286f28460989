/** Folders of this process: the user's home and the cache; not an API. */
@NullMarked
package dev.pollux.inference.internal.paths;

import org.jspecify.annotations.NullMarked;
