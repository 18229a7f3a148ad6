"""What the tests need around them: settings of both footprints, real servers, and rules of the test run."""
