<?php
// Laravel's migrator outside of Laravel: "up" brings the database to the newest migration, "down" takes back the last.
require 'Illuminate/Database/autoload.php';
require 'Illuminate/Events/autoload.php';
require 'Illuminate/Filesystem/autoload.php';

use Illuminate\Database\Capsule\Manager;
use Illuminate\Database\Migrations\DatabaseMigrationRepository;
use Illuminate\Database\Migrations\Migrator;
use Illuminate\Filesystem\Filesystem;
use Illuminate\Support\Facades\Facade;
use Symfony\Component\Console\Output\ConsoleOutput;

$manager = new Manager();
$manager->addConnection(['driver' => 'pgsql', 'url' => getenv('DATABASE_URL'), 'charset' => 'utf8', 'schema' => 'public']);
$container = $manager->getContainer();
$container->instance('db', $manager->getDatabaseManager());
Facade::setFacadeApplication($container);

$repository = new DatabaseMigrationRepository($manager->getDatabaseManager(), 'migrations');
if (! $repository->repositoryExists()) {
    $repository->createRepository();
}
$migrator = new Migrator($repository, $manager->getDatabaseManager(), new Filesystem());
$migrator->setConnection('default');
$migrator->setOutput(new ConsoleOutput());
if ($argv[1] === 'up') {
    $migrator->run(['migrations']);
} else {
    $migrator->rollback(['migrations'], ['step' => 1]);
}
