<?php

use Illuminate\Database\Migrations\Migration;
use Illuminate\Support\Facades\DB;

return new class extends Migration
{
    public $withinTransaction = false;

    public function up()
    {
        $rows = DB::table('orders')->whereNull('note')->update(['note' => DB::raw("'order ' || number")]);
        echo "{$rows} rows\n";
    }

    public function down()
    {
        DB::table('orders')->whereNotNull('note')->update(['note' => null]);
    }
};
