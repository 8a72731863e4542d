//! Another gateway on the same chain, index and blocks: beside the first one, or after it.

use gateway::{Gateway, GatewayConfig, GatewayKeys};
use tokio_util::sync::CancellationToken;

use crate::stage::Stage;

impl Stage {
    /// Starts another gateway without a key and gives its host.
    pub(crate) async fn another(&self, change: impl FnOnce(&mut GatewayConfig)) -> String {
        self.bind(false, self.shutdown.child_token(), change).await
    }

    /// Starts another gateway with the watcher's key and gives its host.
    pub(crate) async fn twin(&self, change: impl FnOnce(&mut GatewayConfig)) -> String {
        self.bind(true, self.shutdown.child_token(), change).await
    }

    /// Stops this gateway and starts one anew, with the watcher's key.
    pub(crate) async fn restart(&mut self, between: impl Future<Output = ()>, change: impl FnOnce(&mut GatewayConfig)) {
        self.gateway_stops.cancel();
        (&mut self.served).await.unwrap().unwrap();
        between.await;
        self.gateway_stops = self.shutdown.child_token();
        self.host = self.bind(true, self.gateway_stops.clone(), change).await;
    }

    async fn bind(&self, watches: bool, stops: CancellationToken, change: impl FnOnce(&mut GatewayConfig)) -> String {
        let mut config = GatewayConfig { listen: "127.0.0.1:0".parse().unwrap(), ..GatewayConfig::default() };
        change(&mut config);
        let keys = GatewayKeys { watcher: watches.then(|| self.town.watcher.clone()) };
        let (market, blocks) = (self.market.clone(), self.blocks.clone());
        let gateway =
            Gateway::bind(config, market, blocks, self.store.clone(), self.index.clone(), keys).await.unwrap();
        let host = gateway.local_addr().to_string();
        tokio::spawn(gateway.serve(stops));
        host
    }
}
