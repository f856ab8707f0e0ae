"""Where the market comes from: eastmoney through akshare, or a simulated market."""
