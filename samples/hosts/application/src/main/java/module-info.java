/** A small application as hosts write them. */
module dev.pollux.hosts {
    requires dev.pollux.starter;

    exports dev.pollux.hosts;
}
