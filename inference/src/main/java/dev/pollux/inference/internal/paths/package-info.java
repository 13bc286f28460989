/** Folders of this process: the home of its user, and the cache; not an API. */
@NullMarked
package dev.pollux.inference.internal.paths;

import org.jspecify.annotations.NullMarked;
